// Comparisons and choices: setp, set, selp, slct. In: a site. Out: its handler. Holds: two numbers are less, equal, greater or unordered;
// a comparison is the set of those that it accepts, so with a NaN `lt` is false and `ltu` true.
#include "decoder.h"
#include "half.h"

namespace machine {

using ptx::Scalar;

namespace {

enum Outcome : uint32_t { kLess = 1, kEqual = 2, kGreater = 4, kUnordered = 8 };

const std::map<std::string, uint32_t> kAccepted = {
    {"eq", kEqual}, {"ne", kLess | kGreater}, {"lt", kLess}, {"le", kLess | kEqual}, {"gt", kGreater}, {"ge", kGreater | kEqual},
    {"equ", kEqual | kUnordered}, {"neu", kLess | kGreater | kUnordered}, {"ltu", kLess | kUnordered}, {"leu", kLess | kEqual | kUnordered},
    {"gtu", kGreater | kUnordered}, {"geu", kGreater | kEqual | kUnordered}, {"num", kLess | kEqual | kGreater}, {"nan", kUnordered},
    {"lo", kLess}, {"ls", kLess | kEqual}, {"hi", kGreater}, {"hs", kGreater | kEqual}};

enum Combined : uint32_t { kPlain, kAnd, kOr, kXor, kNegated = 8 };

/** How lanes are read: as whole numbers, as numbers with a fraction, flushed, of 16 bits. */
template <class T>
struct As {
  using Lane = T;
  static T value(T lane) { return lane; }
};
struct AsFlushed {
  using Lane = float;
  static float value(float lane) { return flushed(lane); }
};
struct AsHalf {
  using Lane = uint32_t;
  static float value(uint32_t lane) { return halfValue(static_cast<uint16_t>(lane)); }
};
struct AsBfloat {
  using Lane = uint32_t;
  static float value(uint32_t lane) { return bfloatValue(static_cast<uint16_t>(lane)); }
};

template <class R>
void comparison(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<typename R::Lane> a(warp, at.operand[1]), b(warp, at.operand[2]);
  const uint32_t less = at.option & 1, equal = at.option >> 1 & 1, greater = at.option >> 2 & 1, unordered = at.option >> 3 & 1;
  const uint32_t truth = static_cast<uint32_t>(at.offset);
  const uint32_t combined = at.option2 & 7;
  const auto outcome = [&](int lane) {
    const auto x = R::value(a[lane]), y = R::value(b[lane]);
    return x < y ? less : x == y ? equal : x > y ? greater : unordered;
  };
  if (combined == kPlain && at.operand[4].offset == kNoSlot && at.operand[0].offset != kNoSlot) {
    const Lanes<uint32_t> to(warp, at.operand[0]);
    eachLane(mask, [&](int lane) { to.set(lane, outcome(lane) * truth); });
    return;
  }
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    uint32_t one = outcome(lane), two = one ^ 1;
    if (combined != kPlain) {
      const uint32_t with = static_cast<uint32_t>(warp.value(at.operand[3], lane) & 1) ^ ((at.option2 & kNegated) != 0 ? 1 : 0);
      const auto join = [&](uint32_t x) { return combined == kAnd ? x & with : combined == kOr ? x | with : x ^ with; };
      one = join(one);
      two = join(two);
    }
    warp.set(at.operand[0], lane, one * truth);
    warp.set(at.operand[4], lane, two);
  }
}

Handler handlerFor(Scalar type, bool flush) {
  switch (type) {
    case Scalar::B16: case Scalar::U16: return &comparison<As<uint16_t>>;
    case Scalar::S16: return &comparison<As<int16_t>>;
    case Scalar::B32: case Scalar::U32: return &comparison<As<uint32_t>>;
    case Scalar::S32: return &comparison<As<int32_t>>;
    case Scalar::B64: case Scalar::U64: return &comparison<As<uint64_t>>;
    case Scalar::S64: return &comparison<As<int64_t>>;
    case Scalar::F16: return &comparison<AsHalf>;
    case Scalar::BF16: return &comparison<AsBfloat>;
    case Scalar::F32: return flush ? &comparison<AsFlushed> : &comparison<As<float>>;
    case Scalar::F64: return &comparison<As<double>>;
    default: return nullptr;
  }
}

void compare(Site& site, Scalar type) {
  const auto found = kAccepted.find(site.statement.parts.at(1));
  if (found == kAccepted.end()) site.fail("not a comparison");
  Instruction& made = site.made;
  made.option = found->second;
  if (ptx::isFloat(type) == false && (made.option & kUnordered) != 0) site.fail("whole numbers are never unordered");
  made.operand[1] = site.slot(1, type);
  made.operand[2] = site.slot(2, type);
  made.option2 = site.has("and") ? kAnd : site.has("or") ? kOr : site.has("xor") ? kXor : kPlain;
  if (made.option2 != kPlain) {
    made.operand[3] = site.slot(3, Scalar::Pred);
    if (site.operand(3).negated) made.option2 |= kNegated;
  }
  made.run = handlerFor(type, site.has("ftz"));
}

template <class T>
void selected(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]);
  const Lanes<uint32_t> by(warp, at.operand[3]);
  eachLane(mask, [&](int lane) { to.set(lane, (by[lane] & 1) != 0 ? a[lane] : b[lane]); });
}

/** By the sign of a number: zero and more choose the first. */
template <class T, class C>
void chosen(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]);
  const Lanes<C> by(warp, at.operand[3]);
  eachLane(mask, [&](int lane) { to.set(lane, by[lane] >= 0 ? a[lane] : b[lane]); });
}

}  // namespace

void addComparisons(Table& table) {
  table["setp"] = [](Site& site) {
    const ptx::Operand& to = site.operand(0);
    site.made.operand[0] = site.slot(0, Scalar::Pred);
    if (!to.second.empty()) {
      ptx::Operand second;
      second.kind = ptx::Operand::Name;
      second.name = to.second;
      site.made.operand[4] = site.slot(second, Scalar::Pred);
    }
    site.made.offset = 1;
    compare(site, site.type());
  };
  table["setp.real"] = table["setp.half"] = table["setp"];
  table["set"] = [](Site& site) {
    const Scalar to = site.type(0);
    if (ptx::bytesOf(to) != 4) return;
    site.made.operand[0] = site.slot(0, to);
    site.made.offset = to == Scalar::F32 ? 0x3f800000 : 0xffffffff;
    compare(site, site.type(1));
  };
  table["selp"] = [](Site& site) {
    const Scalar type = site.type();
    for (size_t i = 0; i < 3; ++i) site.made.operand[i] = site.slot(i, type);
    site.made.operand[3] = site.slot(3, Scalar::Pred);
    site.made.run = ptx::laneBytes(type) == 8 ? &selected<uint64_t> : &selected<uint32_t>;
  };
  table["slct"] = [](Site& site) {
    const Scalar type = site.type(0), by = site.type(1);
    for (size_t i = 0; i < 3; ++i) site.made.operand[i] = site.slot(i, type);
    site.made.operand[3] = site.slot(3, by);
    const bool wide = ptx::laneBytes(type) == 8;
    if (by == Scalar::S32) site.made.run = wide ? &chosen<uint64_t, int32_t> : &chosen<uint32_t, int32_t>;
    if (by == Scalar::F32) site.made.run = wide ? &chosen<uint64_t, float> : &chosen<uint32_t, float>;
  };
}

}  // namespace machine
