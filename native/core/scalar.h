// Scalar arithmetic without a library: elementary functions in f64 and conversions of the short float formats.
#pragma once
#include "base.h"

namespace latentkit {

INLINE double squareRoot(double x) { return __builtin_sqrt(x); }

// Nearest integer, ties to even; |x| < 2^51.
INLINE double nearest(double x) {
  const double shift = 6755399441055744.0;
  return (x + shift) - shift;
}

// e^x to about 1e-16 relative: x = n ln 2 + r, Taylor in r.
INLINE double exp64(double x) {
  if (x != x) return x;
  if (x > 709.79) return __builtin_inf();
  if (x < -745.2) return 0;
  const double n = nearest(x * 1.4426950408889634);
  const double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double sum = 1;
#pragma GCC unroll 16
  for (int k = 14; k >= 1; k--) sum = 1 + sum * (r * (1.0 / k));
  // In two factors, so that subnormal results are right.
  const i64 half = (i64)n / 2, rest = (i64)n - half;
  return sum * bitsAs<double>((half + 1023) << 52) * bitsAs<double>((rest + 1023) << 52);
}

// ln x to about 1e-16 relative: x = 2^n m, ln m = 2 artanh((m - 1) / (m + 1)).
INLINE double log64(double x) {
  if (x != x || x < 0) return __builtin_nan("");
  if (x == 0) return -__builtin_inf();
  if (x == __builtin_inf()) return x;
  i64 n = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    n = -54;
  }
  i64 bits = bitsAs<i64>(x);
  n += (bits >> 52) - 1023;
  double m = bitsAs<double>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    n++;
  }
  const double s = (m - 1) / (m + 1), z = s * s;
  double sum = 0;
#pragma GCC unroll 16
  for (int k = 23; k >= 1; k -= 2) sum = sum * z + 1.0 / k;
  return n * 0x1.62e42feep-1 + (2 * s * sum + n * 0x1.a39ef35793c76p-33);
}

INLINE float bf16ToFloat(uint16_t code) { return bitsAs<float>((uint32_t)code << 16); }

INLINE float f16ToFloat(uint16_t code) {
  const uint32_t magnitude = code & 0x7fffu, sign = (uint32_t)(code & 0x8000u) << 16;
  // The exponent field moves into place; its bias is corrected by a product that is exact for subnormals too.
  const float scaled = bitsAs<float>(magnitude << 13) * 0x1p112f;
  const uint32_t bits = magnitude >= 0x7c00u ? (magnitude << 13) | 0x7f800000u : bitsAs<uint32_t>(scaled);
  return bitsAs<float>(bits | sign);
}

INLINE float e4m3ToFloat(uint8_t code) {
  const uint32_t magnitude = code & 0x7fu, sign = (uint32_t)(code & 0x80u) << 24;
  const float scaled = bitsAs<float>(magnitude << 20) * 0x1p120f;
  const uint32_t bits = magnitude == 0x7fu ? 0x7fc00000u : bitsAs<uint32_t>(scaled);
  return bitsAs<float>(bits | sign);
}

// A short float of `mantissa` bits with the given smallest normal exponent, from f64, once rounded, ties to even.
// The codes of the non-negative numbers count upwards without a gap.
INLINE uint32_t encodeShort(double x, int mantissa, int minExponent, uint32_t largest, uint32_t overflow, uint32_t nan,
                            uint32_t signBit) {
  const i64 bits = bitsAs<i64>(x);
  if (x != x) return nan;
  const uint32_t sign = bits < 0 ? signBit : 0;
  const double magnitude = bitsAs<double>(bits & 0x7fffffffffffffff);
  if (magnitude == __builtin_inf()) return sign | overflow;
  const i64 exponent = max<i64>(((bits >> 52) & 0x7ff) - 1023, minExponent);
  // 2^(mantissa - exponent) in two factors: the whole may be beyond the range of f64's exponents.
  const i64 shift = mantissa - exponent, half = shift / 2;
  const double steps =
      nearest(magnitude * bitsAs<double>((half + 1023) << 52) * bitsAs<double>((shift - half + 1023) << 52));
  const i64 code = (i64)steps + ((exponent - minExponent) << mantissa);
  return sign | (code > (i64)largest ? overflow : (uint32_t)code);
}

INLINE uint16_t floatToF16(double x) {
  return (uint16_t)encodeShort(x, 10, -14, 0x7bff, 0x7c00, 0x7e00, 0x8000);
}
INLINE uint16_t floatToBf16(double x) {
  return (uint16_t)encodeShort(x, 7, -126, 0x7f7f, 0x7f80, 0x7fc0, 0x8000);
}
// No infinity: saturates at 448.
INLINE uint8_t floatToE4m3(double x) { return (uint8_t)encodeShort(x, 3, -6, 0x7e, 0x7e, 0x7f, 0x80); }

}  // namespace latentkit
