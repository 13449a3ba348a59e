// atom and red. In: a site. Out: its handler. Holds: lanes take their turns in ascending order; atomics race with what is not atomic, and
// order what releases, acquires and fences make them order.
#include "decoder.h"
#include "../machine/access.h"
#include "../machine/order.h"
#include "half.h"

namespace machine {

using ptx::Scalar;
using ptx::Space;

namespace {

struct Add { template <class T> T operator()(T old, T b, T) const { return static_cast<T>(old + b); } };
struct Minimum { template <class T> T operator()(T old, T b, T) const { return b < old ? b : old; } };
struct Maximum { template <class T> T operator()(T old, T b, T) const { return b > old ? b : old; } };
struct Increment { template <class T> T operator()(T old, T b, T) const { return old >= b ? T{0} : static_cast<T>(old + 1); } };
struct Decrement { template <class T> T operator()(T old, T b, T) const { return old == 0 || old > b ? b : static_cast<T>(old - 1); } };
struct Exchange { template <class T> T operator()(T, T b, T) const { return b; } };
struct Compare { template <class T> T operator()(T old, T b, T c) const { return old == b ? c : old; } };
struct And { template <class T> T operator()(T old, T b, T) const { return old & b; } };
struct Or { template <class T> T operator()(T old, T b, T) const { return old | b; } };
struct Xor { template <class T> T operator()(T old, T b, T) const { return old ^ b; } };

struct HalfAdd { uint16_t operator()(uint16_t old, uint16_t b, uint16_t) const { return halfBits(static_cast<double>(halfValue(old)) + halfValue(b)); } };
struct BfloatAdd { uint16_t operator()(uint16_t old, uint16_t b, uint16_t) const { return bfloatBits(static_cast<double>(bfloatValue(old)) + bfloatValue(b)); } };
template <class F>
struct Both {
  uint32_t operator()(uint32_t old, uint32_t b, uint32_t) const {
    const auto half = [&](int by) { return static_cast<uint32_t>(F()(static_cast<uint16_t>(old >> by), static_cast<uint16_t>(b >> by), 0)); };
    return half(16) << 16 | half(0);
  }
};

template <class T>
T numberOf(uint64_t bits) {
  T made;
  std::memcpy(&made, &bits, sizeof made);
  return made;
}

template <class T, class F>
void atomic(Warp& warp, const Instruction& at, Mask mask) {
  warp.block->idle = 0;
  for (Mask rest = mask; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctz(rest);
    const uint64_t address = warp.value(at.operand[1], lane) + static_cast<uint64_t>(at.offset);
    uint8_t* const place = memoryAt(warp, at, address, sizeof(T), lane, Access::AtomicWrite);
    const bool shared = at.space == Space::Shared || (at.space == Space::Generic && (address & kWindows) == kSharedWindow);
    orderThrough(warp, address, shared, at.option, true, true);
    T old;
    std::memcpy(&old, place, sizeof old);
    const T b = numberOf<T>(warp.value(at.operand[2], lane));
    const T c = at.operand[3].offset == kNoSlot ? T{} : numberOf<T>(warp.value(at.operand[3], lane));
    const T made = F()(old, b, c);
    std::memcpy(place, &made, sizeof made);
    uint64_t bits = 0;
    std::memcpy(&bits, &old, sizeof old);
    if (std::is_signed_v<T> && sizeof(T) == 2) bits &= 0xffff;
    warp.set(at.operand[0], lane, bits);
  }
}

template <class F>
Handler whole(Scalar type) {
  switch (type) {
    case Scalar::B32: case Scalar::U32: return &atomic<uint32_t, F>;
    case Scalar::S32: return &atomic<int32_t, F>;
    case Scalar::B64: case Scalar::U64: return &atomic<uint64_t, F>;
    case Scalar::S64: return &atomic<int64_t, F>;
    default: return nullptr;
  }
}

Handler sum(Scalar type) {
  switch (type) {
    case Scalar::F32: return &atomic<float, Add>;
    case Scalar::F64: return &atomic<double, Add>;
    case Scalar::F16: return &atomic<uint16_t, HalfAdd>;
    case Scalar::BF16: return &atomic<uint16_t, BfloatAdd>;
    case Scalar::F16x2: return &atomic<uint32_t, Both<HalfAdd>>;
    case Scalar::BF16x2: return &atomic<uint32_t, Both<BfloatAdd>>;
    default: return whole<Add>(type);
  }
}

void decodeAtomic(Site& site, bool returns) {
  const Scalar type = site.type();
  Instruction& made = site.made;
  const size_t first = returns ? 1 : 0;
  if (site.has("v2") || site.has("v4") || site.has("v8")) return;
  made.space = site.space();
  if (returns) made.operand[0] = site.any(site.operand(0), type);
  made.operand[1] = site.address(first, made.offset);
  made.operand[2] = site.any(site.operand(first + 1), type);
  made.option = kStrong | (site.has("acquire") || site.has("acq_rel") ? kAcquire : 0u) | (site.has("release") || site.has("acq_rel") ? kRelease : 0u);
  if (site.has("add")) made.run = sum(type);
  else if (site.has("min")) made.run = whole<Minimum>(type);
  else if (site.has("max")) made.run = whole<Maximum>(type);
  else if (site.has("inc")) made.run = type == Scalar::U32 ? &atomic<uint32_t, Increment> : nullptr;
  else if (site.has("dec")) made.run = type == Scalar::U32 ? &atomic<uint32_t, Decrement> : nullptr;
  else if (site.has("exch")) made.run = whole<Exchange>(type);
  else if (site.has("and")) made.run = whole<And>(type);
  else if (site.has("or")) made.run = whole<Or>(type);
  else if (site.has("xor")) made.run = whole<Xor>(type);
  else if (site.has("cas")) {
    made.operand[3] = site.any(site.operand(first + 2), type);
    made.run = type == Scalar::B16 ? &atomic<uint16_t, Compare> : whole<Compare>(type);
  }
}

}  // namespace

void addAtomics(Table& table) {
  table["atom"] = [](Site& site) { decodeAtomic(site, true); };
  table["red"] = [](Site& site) { decodeAtomic(site, false); };
}

}  // namespace machine
