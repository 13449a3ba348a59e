/* Numbers of each dtype as f64 (see scalar.h). */
#include "scalar.h"

#include <math.h>
#include <string.h>

#include "../abi/tfc.h"

static double half_to_double(uint16_t bits) {
  int exponent = bits >> 10 & 31;
  int mantissa = bits & 1023;
  double magnitude = exponent == 0 ? ldexp(mantissa, -24) : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN) : ldexp(mantissa + 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

/* Eight bits with `fraction` bits behind the point; `infinity` is the pattern of it, -1: there is none, and one NaN. */
static double small_to_double(uint8_t bits, int fraction, int bias, int infinity) {
  int magnitude = bits & 127;
  int exponent = magnitude >> fraction;
  int mantissa = magnitude & ((1 << fraction) - 1);
  double value = exponent == 0 ? ldexp(mantissa, 1 - bias - fraction) : ldexp(mantissa + (1 << fraction), exponent - bias - fraction);
  if (magnitude == infinity) value = INFINITY;
  else if (infinity < 0 ? magnitude == 127 : magnitude > infinity) value = NAN;
  return bits >> 7 ? -value : value;
}

double tfc_scalar_value(const void *address, int32_t dtype) {
  switch (dtype) {
    case TFC_F32: return *(const float *)address;
    case TFC_F64: return *(const double *)address;
    case TFC_F16: return half_to_double(*(const uint16_t *)address);
    case TFC_BF16: {
      uint32_t bits = (uint32_t)*(const uint16_t *)address << 16;
      float value;
      memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case TFC_I32: return *(const int32_t *)address;
    case TFC_I64: return (double)*(const int64_t *)address;
    case TFC_I8: return *(const int8_t *)address;
    case TFC_I16: return *(const int16_t *)address;
    case TFC_U16: return *(const uint16_t *)address;
    case TFC_U32: return *(const uint32_t *)address;
    case TFC_U64: return (double)*(const uint64_t *)address;
    case TFC_F8E4M3: return small_to_double(*(const uint8_t *)address, 3, 7, -1);
    case TFC_F8E5M2: return small_to_double(*(const uint8_t *)address, 2, 15, 0x7c);
    default: return *(const uint8_t *)address;
  }
}
