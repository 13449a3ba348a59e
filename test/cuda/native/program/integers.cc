// Whole numbers: add, sub, mul, mad, div, rem, min, max, abs, neg, sad, carries, dot products of bytes. In: a site. Out: its handler.
// Holds: results wrap; what PTX leaves open (division by zero) is all ones and the dividend, as the hardware does it.
#include "decoder.h"
#include "lanes.h"

namespace machine {

using ptx::Scalar;

namespace {

struct Add { template <class T> T operator()(T a, T b) const { return static_cast<T>(a + b); } };
struct Subtract { template <class T> T operator()(T a, T b) const { return static_cast<T>(a - b); } };
struct Multiply {
  template <class T> T operator()(T a, T b) const {
    if constexpr (sizeof(T) < 4) return static_cast<T>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
    else return static_cast<T>(a * b);
  }
};
struct MultiplyHigh {
  template <class T> T operator()(T a, T b) const {
    using Wide = std::conditional_t<sizeof(T) == 8, std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>,
                                    std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
    return static_cast<T>(static_cast<Wide>(a) * static_cast<Wide>(b) >> (8 * sizeof(T)));
  }
};
struct MultiplyAdd { template <class T> T operator()(T a, T b, T c) const { return static_cast<T>(Multiply()(a, b) + c); } };
struct MultiplyHighAdd { template <class T> T operator()(T a, T b, T c) const { return static_cast<T>(MultiplyHigh()(a, b) + c); } };
struct Divide {
  template <class T> T operator()(T a, T b) const {
    if (b == 0) return static_cast<T>(-1);
    if constexpr (std::is_signed_v<T>) if (b == -1) return static_cast<T>(-a);
    return static_cast<T>(a / b);
  }
};
struct Remainder {
  template <class T> T operator()(T a, T b) const {
    if (b == 0) return a;
    if constexpr (std::is_signed_v<T>) if (b == -1) return 0;
    return static_cast<T>(a % b);
  }
};
struct Minimum { template <class T> T operator()(T a, T b) const { return a < b ? a : b; } };
struct Maximum { template <class T> T operator()(T a, T b) const { return a > b ? a : b; } };
struct Negate { template <class T> T operator()(T a) const { return static_cast<T>(-a); } };
struct Absolute { template <class T> T operator()(T a) const { return static_cast<T>(a < T{} ? -a : a); } };
struct Distance { template <class T> T operator()(T a, T b, T c) const { return static_cast<T>((a < b ? b - a : a - b) + c); } };
struct AddSaturated { int32_t operator()(int32_t a, int32_t b) const { return saturated(static_cast<int64_t>(a) + b); }
  static int32_t saturated(int64_t v) { return static_cast<int32_t>(v < INT32_MIN ? INT32_MIN : v > INT32_MAX ? INT32_MAX : v); } };
struct SubtractSaturated { int32_t operator()(int32_t a, int32_t b) const { return AddSaturated::saturated(static_cast<int64_t>(a) - b); } };
struct Multiply24 { template <class T> T operator()(T a, T b) const {
  if constexpr (std::is_signed_v<T>) return static_cast<T>(static_cast<T>(a << 8 >> 8) * static_cast<T>(b << 8 >> 8));
  else return static_cast<T>((a & 0xffffffu) * (b & 0xffffffu)); } };

/** Sources of one width, a result of twice that. */
template <class T, class Wide, bool add>
void widened(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<Wide> to(warp, at.operand[0]);
  const Lanes<T> a(warp, at.operand[1]), b(warp, at.operand[2]);
  if constexpr (add) {
    const Lanes<Wide> c(warp, at.operand[3]);
    eachLane(mask, [&](int lane) { to.set(lane, static_cast<Wide>(static_cast<Wide>(a[lane]) * static_cast<Wide>(b[lane]) + c[lane])); });
  } else {
    eachLane(mask, [&](int lane) { to.set(lane, static_cast<Wide>(a[lane]) * static_cast<Wide>(b[lane])); });
  }
}

template <bool add>
void wide(Site& site, Scalar type) {
  const Scalar twice = type == Scalar::U16 ? Scalar::U32 : type == Scalar::S16 ? Scalar::S32 : type == Scalar::U32 ? Scalar::U64 : Scalar::S64;
  site.made.operand[0] = site.slot(0, twice);
  site.made.operand[1] = site.slot(1, type);
  site.made.operand[2] = site.slot(2, type);
  if (add) site.made.operand[3] = site.slot(3, twice);
  switch (type) {
    case Scalar::U16: site.made.run = &widened<uint16_t, uint32_t, add>; return;
    case Scalar::S16: site.made.run = &widened<int16_t, int32_t, add>; return;
    case Scalar::U32: site.made.run = &widened<uint32_t, uint64_t, add>; return;
    case Scalar::S32: site.made.run = &widened<int32_t, int64_t, add>; return;
    default: return;
  }
}

/** add.cc, addc, sub.cc, subc: a carry between them. */
template <class T, bool subtract>
void carried(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]);
  const Lanes<uint32_t> carry(warp, at.operand[4]);
  const bool reads = (at.option & 1) != 0, writes = (at.option & 2) != 0;
  eachLane(mask, [&](int lane) {
    const unsigned __int128 in = reads ? carry[lane] & 1 : 0;
    const unsigned __int128 x = a[lane], y = b[lane];
    const unsigned __int128 sum = subtract ? x - y - in : x + y + in;
    if (writes) carry.set(lane, static_cast<uint32_t>(sum >> (8 * sizeof(T)) & 1));
    to.set(lane, static_cast<T>(sum));
  });
}

template <bool subtract>
bool withCarry(Site& site, bool reads) {
  const bool writes = site.has("cc");
  if (!reads && !writes) return false;
  const Scalar type = site.type();
  site.all(type, 3);
  site.made.operand[4] = site.carry();
  site.made.option = (reads ? 1 : 0) | (writes ? 2 : 0);
  site.made.run = ptx::bytesOf(type) == 8 ? &carried<uint64_t, subtract> : &carried<uint32_t, subtract>;
  return true;
}

/** Four products of bytes. */
template <bool left, bool right>
void dotOfBytes(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<uint32_t> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]), c(warp, at.operand[3]);
  eachLane(mask, [&](int lane) {
    uint32_t sum = c[lane];
    for (int i = 0; i < 32; i += 8) {
      const int32_t x = left ? static_cast<int8_t>(a[lane] >> i) : static_cast<uint8_t>(a[lane] >> i);
      const int32_t y = right ? static_cast<int8_t>(b[lane] >> i) : static_cast<uint8_t>(b[lane] >> i);
      sum += static_cast<uint32_t>(x * y);
    }
    to.set(lane, sum);
  });
}

template <class F, int sources>
void plain(Site& site) {
  site.all(site.type(), sources + 1);
  site.made.run = forIntegers<F, sources>(site.type());
}

}  // namespace

void addIntegers(Table& table) {
  table["addc"] = [](Site& site) { withCarry<false>(site, true); };
  table["subc"] = [](Site& site) { withCarry<true>(site, true); };
  table["add"] = [](Site& site) {
    if (withCarry<false>(site, false)) return;
    plain<Add, 2>(site);
    if (site.has("sat")) site.made.run = site.type() == Scalar::S32 ? &binary<int32_t, AddSaturated> : nullptr;
  };
  table["sub"] = [](Site& site) {
    if (withCarry<true>(site, false)) return;
    plain<Subtract, 2>(site);
    if (site.has("sat")) site.made.run = site.type() == Scalar::S32 ? &binary<int32_t, SubtractSaturated> : nullptr;
  };
  table["mul"] = [](Site& site) {
    if (site.has("wide")) return wide<false>(site, site.type());
    if (site.has("hi")) return plain<MultiplyHigh, 2>(site);
    if (!site.has("lo")) site.fail("says neither .lo, .hi nor .wide");
    plain<Multiply, 2>(site);
  };
  table["mad"] = [](Site& site) {
    if (site.has("cc") || site.has("sat")) return;
    if (site.has("wide")) return wide<true>(site, site.type());
    if (site.has("hi")) return plain<MultiplyHighAdd, 3>(site);
    plain<MultiplyAdd, 3>(site);
  };
  table["mul24"] = [](Site& site) { if (!site.has("hi")) plain<Multiply24, 2>(site); };
  table["div"] = plain<Divide, 2>;
  table["rem"] = plain<Remainder, 2>;
  table["min"] = plain<Minimum, 2>;
  table["max"] = plain<Maximum, 2>;
  table["neg"] = plain<Negate, 1>;
  table["abs"] = plain<Absolute, 1>;
  table["sad"] = plain<Distance, 3>;
  table["dp4a"] = [](Site& site) {
    site.all(Scalar::B32, 4);
    const bool left = site.type(0) == Scalar::S32, right = site.type(1) == Scalar::S32;
    site.made.run = left ? right ? &dotOfBytes<true, true> : &dotOfBytes<true, false> : right ? &dotOfBytes<false, true> : &dotOfBytes<false, false>;
  };
}

}  // namespace machine
