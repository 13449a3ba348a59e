// Numbers of 16 bits, and rounding to them. In: numbers of 64 bits. Out: bits of f16, bf16, tf32. Holds: a conversion rounds once, as its
// mode says; NaNs become the one that the hardware writes.
#pragma once
#include <cmath>
#include <cstdint>
#include "lanes.h"

namespace machine {

enum class Rounding : uint8_t { Nearest, Zero, Down, Up, Away };

/** A binary format with an implicit leading bit. */
struct Format {
  int mantissa;
  int least;  // exponent of the smallest normal number
  int most;   // exponent of the largest number
};

constexpr Format kF16{10, -14, 15};
constexpr Format kBF16{7, -126, 127};
constexpr Format kTF32{10, -126, 127};
constexpr Format kF32{23, -126, 127};

/** The number of the format next to `value`; infinities where it is too large. */
inline double rounded(double value, Format format, Rounding mode) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), format.least);
  const double unit = std::ldexp(1.0, exponent - format.mantissa);
  const double scaled = value / unit;
  double whole = std::trunc(scaled);
  const double rest = scaled - whole;
  const double away = std::copysign(1.0, scaled);
  switch (mode) {
    case Rounding::Nearest:
      if (std::fabs(rest) > 0.5 || (std::fabs(rest) == 0.5 && std::fmod(whole, 2.0) != 0)) whole += away;
      break;
    case Rounding::Away:
      if (std::fabs(rest) >= 0.5) whole += away;
      break;
    case Rounding::Zero: break;
    case Rounding::Down: if (rest < 0) whole -= 1; break;
    case Rounding::Up: if (rest > 0) whole += 1; break;
  }
  const double result = std::copysign(whole * unit, value);
  const double largest = (2.0 - std::ldexp(1.0, -format.mantissa)) * std::ldexp(1.0, format.most);
  if (std::fabs(result) <= largest) return result;
  const bool toInfinity = mode == Rounding::Nearest || mode == Rounding::Away || (mode == Rounding::Up && value > 0) || (mode == Rounding::Down && value < 0);
  return std::copysign(toInfinity ? INFINITY : largest, value);
}

/** a·b + c, rounded to odd in 64 bits, so that rounding it again is rounding once; a·b must be exact in 64 bits. */
inline double productPlus(double a, double b, double c) {
  const double product = a * b;
  const double sum = product + c;
  if (!std::isfinite(sum)) return sum;
  const double back = sum - product;
  const double error = (product - (sum - back)) + (c - back);
  if (error == 0) return sum;
  int64_t bits = bitsAs<int64_t>(sum);
  if ((bits & 1) != 0) return sum;
  // The exact sum lies beside this even number: of its two neighbours the one towards it is odd.
  const bool larger = (error > 0) == (sum > 0);
  if (sum == 0) return sum;
  return bitsAs<double>(larger ? bits + 1 : bits - 1);
}

inline float bfloatValue(uint16_t bits) { return bitsAs<float>(static_cast<uint32_t>(bits) << 16); }

inline float halfValue(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 31;
  const uint32_t mantissa = bits & 1023;
  if (exponent == 31) return bitsAs<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return bitsAs<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float small = static_cast<float>(mantissa) * 0x1p-24f;
  return bitsAs<float>(sign | bitsAs<uint32_t>(small));
}

inline uint16_t halfBits(double value, Rounding mode = Rounding::Nearest) {
  if (std::isnan(value)) return 0x7fff;
  const double exact = rounded(value, kF16, mode);
  const uint16_t sign = std::signbit(exact) ? 0x8000 : 0;
  const double size = std::fabs(exact);
  if (std::isinf(size)) return sign | 0x7c00;
  if (size < 0x1p-14) return static_cast<uint16_t>(sign | static_cast<uint16_t>(size * 0x1p24));
  const int exponent = std::ilogb(size);
  return static_cast<uint16_t>(sign | ((exponent + 15) << 10) | (static_cast<int>(std::ldexp(size, 10 - exponent)) & 1023));
}

inline uint16_t bfloatBits(double value, Rounding mode = Rounding::Nearest) {
  if (std::isnan(value)) return 0x7fff;
  return static_cast<uint16_t>(bitsAs<uint32_t>(static_cast<float>(rounded(value, kBF16, mode))) >> 16);
}

/** The same from numbers of 32 bits to the nearest, without a branch for most. */
inline uint16_t bfloatNearest(float value) {
  const uint32_t bits = bitsAs<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/** Denormal numbers become zeros of their sign. */
inline float flushed(float value) {
  const uint32_t bits = bitsAs<uint32_t>(value);
  return (bits & 0x7f800000) == 0 ? bitsAs<float>(bits & 0x80000000) : value;
}

/** The NaN that arithmetic on the hardware writes. */
inline float canonical(float value) { return value != value ? bitsAs<float>(0x7fffffffu) : value; }

}  // namespace machine
