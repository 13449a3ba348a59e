// What handlers are made of: one function over all lanes. In: a function of numbers. Out: a handler. Holds: with all lanes at work a loop
// has no branches, so it becomes vector code; types of less than four bytes stand in lanes of four, zero above.
#pragma once
#include <cstring>
#include <type_traits>
#include "../machine/warp.h"

namespace machine {

template <class F>
inline void eachLane(Mask mask, F f) {
  if (mask == kAll) {
#pragma GCC ivdep
    for (int lane = 0; lane < 32; ++lane) f(lane);
    return;
  }
  for (; mask != 0; mask &= mask - 1) f(__builtin_ctz(mask));
}

template <class T>
class Lanes {
 public:
  using Stored = std::conditional_t<sizeof(T) < 4, uint32_t, T>;
  Lanes(const Warp& warp, Slot slot) : at_(warp.lanes<Stored>(slot.offset)) {}
  T operator[](int lane) const { return static_cast<T>(at_[lane]); }
  void set(int lane, T value) const {
    if constexpr (sizeof(T) == 2) at_[lane] = static_cast<uint16_t>(value);
    else if constexpr (sizeof(T) == 1) at_[lane] = static_cast<uint8_t>(value);
    else at_[lane] = value;
  }

 private:
  Stored* at_;
};

template <class T, class F>
void unary(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]);
  eachLane(mask, [&](int lane) { to.set(lane, F()(a[lane])); });
}

template <class T, class F>
void binary(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]);
  eachLane(mask, [&](int lane) { to.set(lane, F()(a[lane], b[lane])); });
}

template <class T, class F>
void ternary(Warp& warp, const Instruction& at, Mask mask) {
  const Lanes<T> to(warp, at.operand[0]), a(warp, at.operand[1]), b(warp, at.operand[2]), c(warp, at.operand[3]);
  eachLane(mask, [&](int lane) { to.set(lane, F()(a[lane], b[lane], c[lane])); });
}

template <class T, class F, int sources>
constexpr Handler handlerOf() {
  if constexpr (sources == 1) return &unary<T, F>;
  else if constexpr (sources == 2) return &binary<T, F>;
  else return &ternary<T, F>;
}

/** The handler for an integer type, signed where the type is; bits are unsigned. Null: it is none. */
template <class F, int sources>
Handler forIntegers(ptx::Scalar type) {
  using ptx::Scalar;
  switch (type) {
    case Scalar::B16: case Scalar::U16: return handlerOf<uint16_t, F, sources>();
    case Scalar::S16: return handlerOf<int16_t, F, sources>();
    case Scalar::Pred: case Scalar::B32: case Scalar::U32: return handlerOf<uint32_t, F, sources>();
    case Scalar::S32: return handlerOf<int32_t, F, sources>();
    case Scalar::B64: case Scalar::U64: return handlerOf<uint64_t, F, sources>();
    case Scalar::S64: return handlerOf<int64_t, F, sources>();
    default: return nullptr;
  }
}

template <class To, class From>
inline To bitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace machine
