// softmax of a few numbers, in f64.
#pragma once
#include "../../core/scalar.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

INLINE bool isNan(double x) { return x != x; }

// x_i becomes exp(x_i) / sum exp(x); 0 where all are -inf.
static INLINE void softmax(double* x, i64 n) {
  double max = -__builtin_inf();
  for (i64 i = 0; i < n; i++) max = x[i] > max || isNan(x[i]) ? x[i] : max;
  if (max == -__builtin_inf()) {
    for (i64 i = 0; i < n; i++) x[i] = 0;
    return;
  }
  double total = 0;
  for (i64 i = 0; i < n; i++) total += x[i] = exp64(x[i] - max);
  for (i64 i = 0; i < n; i++) x[i] /= total;
}

}  // namespace latentkit::LATENTKIT_ISA
