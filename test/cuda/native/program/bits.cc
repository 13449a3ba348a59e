// Bits: and, or, xor, not, shifts, fields, counts, permutations. In: a site. Out: its handler. Holds: shifts by more than the width clamp,
// as PTX says, where those of C++ would be undefined.
#include "decoder.h"
#include "lanes.h"

namespace machine {

using ptx::Scalar;

namespace {

struct And { template <class T> T operator()(T a, T b) const { return a & b; } };
struct Or { template <class T> T operator()(T a, T b) const { return a | b; } };
struct Xor { template <class T> T operator()(T a, T b) const { return a ^ b; } };
struct Not { template <class T> T operator()(T a) const { return static_cast<T>(~a); } };
struct NotPredicate { uint32_t operator()(uint32_t a) const { return (a & 1) ^ 1; } };
struct IsZero { template <class T> T operator()(T a) const { return a == 0 ? 1 : 0; } };
struct Reversed {
  template <class T> T operator()(T a) const {
    T made = 0;
    for (unsigned i = 0; i < 8 * sizeof(T); ++i) made |= static_cast<T>((a >> i & 1) << (8 * sizeof(T) - 1 - i));
    return made;
  }
};

template <class T, bool left>
void shifted(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]);
  const Lanes<uint32_t> by(warp, at.operand[2]);
  constexpr uint32_t width = 8 * sizeof(T);
  eachLane(mask, [&](int lane) {
    const uint32_t count = by[lane];
    const T value = a[lane];
    if constexpr (left) to.set(lane, count >= width ? T{0} : static_cast<T>(static_cast<uint64_t>(value) << count));
    else if constexpr (std::is_signed_v<T>) to.set(lane, static_cast<T>(value >> (count >= width ? width - 1 : count)));
    else to.set(lane, count >= width ? T{0} : static_cast<T>(value >> count));
  });
}

template <bool left>
void shift(Site& site) {
  const Scalar type = site.type();
  site.made.operand[0] = site.slot(0, type);
  site.made.operand[1] = site.slot(1, type);
  site.made.operand[2] = site.slot(2, Scalar::B32);
  switch (type) {
    case Scalar::B16: case Scalar::U16: site.made.run = &shifted<uint16_t, left>; return;
    case Scalar::S16: site.made.run = &shifted<int16_t, left>; return;
    case Scalar::B32: case Scalar::U32: site.made.run = &shifted<uint32_t, left>; return;
    case Scalar::S32: site.made.run = &shifted<int32_t, left>; return;
    case Scalar::B64: case Scalar::U64: site.made.run = &shifted<uint64_t, left>; return;
    case Scalar::S64: site.made.run = &shifted<int64_t, left>; return;
    default: return;
  }
}

/** Of the 64 bits b:a. */
template <bool left, bool clamped>
struct Funnel {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t c) const {
    const uint32_t n = clamped ? (c > 32 ? 32 : c) : c & 31;
    const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
    if constexpr (left) return n == 32 ? a : static_cast<uint32_t>(both << n >> 32);
    else return n == 32 ? b : static_cast<uint32_t>(both >> n);
  }
};

template <class T>
void counted(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]);
  const Lanes<T> a(warp, at.operand[1]);
  constexpr int width = 8 * sizeof(T);
  eachLane(mask, [&](int lane) {
    const uint64_t value = static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(a[lane]));
    if (at.option == 0) return to.set(lane, static_cast<uint32_t>(__builtin_popcountll(value)));
    if (at.option == 1) return to.set(lane, value == 0 ? width : static_cast<uint32_t>(__builtin_clzll(value)) - (64 - width));
    // The highest bit that differs from the sign.
    const uint64_t found = std::is_signed_v<T> && a[lane] < 0 ? static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(~a[lane])) : value;
    const uint32_t place = found == 0 ? ~0u : 63 - static_cast<uint32_t>(__builtin_clzll(found));
    to.set(lane, at.option == 3 && place != ~0u ? width - 1 - place : place);
  });
}

void count(Site& site, uint32_t what) {
  site.made.operand[0] = site.slot(0, Scalar::B32);
  site.made.operand[1] = site.slot(1, site.type());
  site.made.option = what;
  switch (site.type()) {
    case Scalar::B32: case Scalar::U32: site.made.run = &counted<uint32_t>; return;
    case Scalar::S32: site.made.run = &counted<int32_t>; return;
    case Scalar::B64: case Scalar::U64: site.made.run = &counted<uint64_t>; return;
    case Scalar::S64: site.made.run = &counted<int64_t>; return;
    default: return;
  }
}

template <class T>
void extracted(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]);
  const Lanes<uint32_t> from(warp, at.operand[2]), size(warp, at.operand[3]);
  constexpr uint32_t top = 8 * sizeof(T) - 1;
  eachLane(mask, [&](int lane) {
    const uint32_t start = from[lane] & 255, length = size[lane] & 255;
    const T value = a[lane];
    uint64_t sign = 0;
    if constexpr (std::is_signed_v<T>) {
      if (length != 0) sign = static_cast<uint64_t>(value) >> std::min(start + length - 1, top) & 1;
    }
    uint64_t made = 0;
    for (uint32_t i = 0; i <= top; ++i) {
      const uint64_t bit = i < length && start + i <= top ? static_cast<uint64_t>(value) >> (start + i) & 1 : sign;
      made |= bit << i;
    }
    to.set(lane, static_cast<T>(made));
  });
}

template <class T>
void inserted(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]);
  const Lanes<uint32_t> from(warp, at.operand[3]), size(warp, at.operand[4]);
  constexpr uint32_t width = 8 * sizeof(T);
  eachLane(mask, [&](int lane) {
    const uint32_t start = from[lane] & 255, length = size[lane] & 255;
    T made = b[lane];
    for (uint32_t i = 0; i < length && start + i < width; ++i)
      made = static_cast<T>((made & ~(T{1} << (start + i))) | (a[lane] >> i & 1) << (start + i));
    to.set(lane, made);
  });
}

struct Permuted {
  uint32_t operator()(uint32_t a, uint32_t b, uint32_t selector) const {
    const uint64_t both = static_cast<uint64_t>(b) << 32 | a;
    uint32_t made = 0;
    for (int i = 0; i < 4; ++i) {
      const uint32_t select = selector >> (4 * i) & 15;
      uint32_t byte = static_cast<uint32_t>(both >> (8 * (select & 7)) & 255);
      if ((select & 8) != 0) byte = (byte & 128) != 0 ? 255 : 0;
      made |= byte << (8 * i);
    }
    return made;
  }
};

void threeInputs(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]), c(warp, at.operand[3]);
  eachLane(mask, [&](int lane) {
    const uint32_t x = a[lane], y = b[lane], z = c[lane];
    uint32_t made = 0;
    for (uint32_t i = 0; i < 8; ++i)
      if ((at.option >> i & 1) != 0) made |= ((i & 4) != 0 ? x : ~x) & ((i & 2) != 0 ? y : ~y) & ((i & 1) != 0 ? z : ~z);
    to.set(lane, made);
  });
}

template <class F, int sources>
void plain(Site& site) {
  site.all(site.type(), sources + 1);
  site.made.run = forIntegers<F, sources>(site.type());
}

}  // namespace

void addBits(Table& table) {
  table["and"] = plain<And, 2>;
  table["or"] = plain<Or, 2>;
  table["xor"] = plain<Xor, 2>;
  table["not"] = [](Site& site) {
    plain<Not, 1>(site);
    if (site.type() == Scalar::Pred) site.made.run = &unary<uint32_t, NotPredicate>;
  };
  table["cnot"] = plain<IsZero, 1>;
  table["brev"] = plain<Reversed, 1>;
  table["shl"] = shift<true>;
  table["shr"] = shift<false>;
  table["shf"] = [](Site& site) {
    site.all(Scalar::B32, 4);
    const bool clamped = site.has("clamp");
    if (site.has("l")) site.made.run = clamped ? &ternary<uint32_t, Funnel<true, true>> : &ternary<uint32_t, Funnel<true, false>>;
    else site.made.run = clamped ? &ternary<uint32_t, Funnel<false, true>> : &ternary<uint32_t, Funnel<false, false>>;
  };
  table["popc"] = [](Site& site) { count(site, 0); };
  table["clz"] = [](Site& site) { count(site, 1); };
  table["bfind"] = [](Site& site) { count(site, site.has("shiftamt") ? 3 : 2); };
  table["bfe"] = [](Site& site) {
    const Scalar type = site.type();
    for (size_t i = 0; i < 4; ++i) site.made.operand[i] = site.slot(i, i < 2 ? type : Scalar::B32);
    site.made.run = type == Scalar::U32 ? &extracted<uint32_t> : type == Scalar::S32 ? &extracted<int32_t> : type == Scalar::U64 ? &extracted<uint64_t> : &extracted<int64_t>;
  };
  table["bfi"] = [](Site& site) {
    const Scalar type = site.type();
    for (size_t i = 0; i < 5; ++i) site.made.operand[i] = site.slot(i, i < 3 ? type : Scalar::B32);
    site.made.run = type == Scalar::B32 ? &inserted<uint32_t> : &inserted<uint64_t>;
  };
  table["prmt"] = [](Site& site) {
    if (site.statement.parts.size() != 2) site.fail("only the general form");
    site.all(Scalar::B32, 4);
    site.made.run = &ternary<uint32_t, Permuted>;
  };
  table["lop3"] = [](Site& site) {
    for (size_t i = 0; i < 4; ++i) site.made.operand[i] = site.slot(i, Scalar::B32);
    site.made.option = static_cast<uint32_t>(site.operand(4).value);
    site.made.run = &threeInputs;
  };
}

}  // namespace machine
