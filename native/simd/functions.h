// Elementary functions on vectors, to about 1e-7 relative, from the operations of any set.
// Every lane is computed alike, so that a number's result does not depend on its place in a row.
#pragma once
#include "simd.h"

namespace latentkit::LATENTKIT_ISA {

// e^x: x = n ln 2 + r, a polynomial of r, 2^n in two factors so that subnormal results are right. (Cephes expf.)
INLINE F exponential(F x) {
  F c = x < -104.0f ? F{} - 104.0f : x;  // comparisons keep NaN
  c = c > 89.0f ? F{} + 89.0f : c;
  const float shift = 12582912.0f;
  const F shifted = fma(c, set1(1.44269504088896341f), set1(shift));
  const F n = shifted - shift;
  F r = fma(n, set1(-0.693359375f), c);
  r = fma(n, set1(2.12194440e-4f), r);
  F p = set1(1.9875691500e-4f);
  p = fma(p, r, set1(1.3981999507e-3f));
  p = fma(p, r, set1(8.3334519073e-3f));
  p = fma(p, r, set1(4.1665795894e-2f));
  p = fma(p, r, set1(1.6666665459e-1f));
  p = fma(p, r, set1(5.0000001201e-1f));
  p = fma(p, r * r, r) + 1.0f;
  const I whole = (I)shifted - (I)set1(shift);
  const I half = whole >> 1;
  return p * (F)((half + 127) << 23) * (F)((whole - half + 127) << 23);
}

// The same for x <= 0, as attention needs it, at half the cost: 2^(n + r), both from x at once; below e^-87 it is 0.
INLINE F exponentialBelow(F x) {
  const float shift = 12582912.0f;
  const F log2e = set1(1.44269504088896341f);
  const F shifted = fma(x, log2e, set1(shift));
  const F r = fma(x, log2e, shift - shifted);
  F p = set1(1.545316336e-4f);
  p = fma(p, r, set1(1.339086331e-3f));
  p = fma(p, r, set1(9.618083015e-3f));
  p = fma(p, r, set1(5.550356954e-2f));
  p = fma(p, r, set1(2.402265072e-1f));
  p = fma(p, r, set1(6.931471825e-1f));
  p = fma(p, r, set1(1.0f));
  // The low bits of `shifted` are n: they go where p has its exponent. Where that is nonsense, it is not taken.
  return x < -87.0f ? F{} : (F)((U)p + ((U)shifted << 23));
}

INLINE float exponentialOf(float x) { return exponential(set1(x))[0]; }

INLINE F sigmoid(F x) { return 1.0f / (1.0f + exponential(-x)); }

// (Cephes tanhf.)
INLINE F hyperbolicTangent(F x) {
  const F magnitude = (F)((I)x & 0x7fffffff);
  const I sign = (I)x & (int32_t)0x80000000;
  const F z = x * x;
  F p = set1(-5.70498872745e-3f);
  p = fma(p, z, set1(2.06390887954e-2f));
  p = fma(p, z, set1(-5.37397155531e-2f));
  p = fma(p, z, set1(1.33314422036e-1f));
  p = fma(p, z, set1(-3.33332819422e-1f));
  const F near = fma(p * z, x, x);
  const F far = 1.0f - 2.0f / (exponential(magnitude + magnitude) + 1.0f);
  return magnitude < 0.625f ? near : (F)((I)far | sign);
}

// erfc(z) for z >= 0 (Numerical Recipes 6.2, fractional error below 1.2e-7 before rounding).
INLINE F complementaryError(F z) {
  const F t = 1.0f / fma(z, set1(0.5f), set1(1.0f));
  F p = set1(0.17087277f);
  p = fma(p, t, set1(-0.82215223f));
  p = fma(p, t, set1(1.48851587f));
  p = fma(p, t, set1(-1.13520398f));
  p = fma(p, t, set1(0.27886807f));
  p = fma(p, t, set1(-0.18628806f));
  p = fma(p, t, set1(0.09678418f));
  p = fma(p, t, set1(0.37409196f));
  p = fma(p, t, set1(1.00002368f));
  p = fma(p, t, set1(-1.26551223f));
  return t * exponential(fma(-z, z, p));
}

// x times the probability of a standard normal number below x (arXiv 1606.08415).
INLINE F gelu(F x) {
  const F magnitude = (F)((I)x & 0x7fffffff);
  const F tail = 0.5f * complementaryError(magnitude * 0.70710678118654752f);
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

// 0.5 x (1 + tanh u) = x sigmoid(2 u).
INLINE F geluTanh(F x) {
  const F cube = x * x * x;
  return x * sigmoid(1.5957691216057308f * fma(cube, set1(0.044715f), x));
}

}  // namespace latentkit::LATENTKIT_ISA
