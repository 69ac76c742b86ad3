// Sums of exponentials that are kept as logarithms, in f64.
#pragma once
#include "../../core/scalar.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

INLINE bool isNan(double x) { return x != x; }

// Weights of parts with the given lse: exp(lse_i - lse), and lse = ln sum exp(lse_i). A part with lse -inf saw
// nothing and weighs 0. `weights` holds the parts' lse before.
static INLINE double mergeWeights(double* weights, i64 n) {
  double max = -__builtin_inf();
  for (i64 i = 0; i < n; i++) max = weights[i] > max || isNan(weights[i]) ? weights[i] : max;
  if (max == -__builtin_inf()) {
    for (i64 i = 0; i < n; i++) weights[i] = 0;
    return max;
  }
  double total = 0;
  for (i64 i = 0; i < n; i++) total += weights[i] = exp64(weights[i] - max);
  for (i64 i = 0; i < n; i++) weights[i] /= total;
  return max + log64(total);
}

}  // namespace latentkit::LATENTKIT_ISA
