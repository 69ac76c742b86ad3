// A row's state (largest score, sum of exponentials, weighted sum of values): its beginning, taking in another, its end.
#pragma once
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "record.h"

namespace latentkit::LATENTKIT_ISA {

INLINE float maxNan(float a, float b) { return b > a || b != b ? b : a; }

// Takes the state of one more span, of n padded numbers, into a row's total.
static INLINE void mergeState(float& max, float& sum, float* out, float spanMax, float spanSum, const float* spanOut,
                              i64 n) {
  if (spanMax == -INFINITY_F32) return;
  if (max == -INFINITY_F32) {
    max = spanMax;
    sum = spanSum;
    for (i64 c = 0; c < n; c += LANES) store(out + c, load(spanOut + c));
    return;
  }
  const float both = maxNan(max, spanMax);
  const float a = exponentialOf(max - both), b = exponentialOf(spanMax - both);
  max = both;
  sum = sum * a + spanSum * b;
  for (i64 c = 0; c < n; c += LANES) store(out + c, fma(load(spanOut + c), set1(b), load(out + c) * a));
}

// A row's state before any span: empty, or of the keys whose result `out` and `lse` hold already.
static INLINE void initTotal(const Attention& a, i64 t, i64 h, float& max, float& sum, float* out) {
  max = a.carry ? a.lse[t * a.H + h] : -INFINITY_F32;
  sum = 1;
  if (max == -INFINITY_F32) return;
  const float* held = a.out + t * a.outT + h * a.outH;
  for (i64 c = 0; c < a.V; c += LANES) store(out + c, loadPart(held + c, (int)min<i64>(LANES, a.V - c)));
}

// Writes a row's result from its total.
static INLINE void finishRow(const Attention& a, i64 t, i64 h, float max, float sum, const float* out) {
  double lse = -__builtin_inf();
  float factor = 0;
  if (a.sinkLogits && max == -INFINITY_F32) {
    lse = a.sinkLogits[h];
  } else if (max != -INFINITY_F32) {
    double total = sum, top = max;
    factor = 1;
    if (a.sinkLogits) {
      top = maxNan(max, a.sinkLogits[h]);
      factor = exponentialOf((float)(max - top));
      total = total * factor + exp64(a.sinkLogits[h] - top);
    }
    factor = (float)(factor / total);
    if (a.lse) lse = top + log64(total);
  }
  float* to = a.out + t * a.outT + h * a.outH;
  for (i64 c = 0; c < a.V; c += LANES) {
    storePart(to + c, factor == 0 ? F{} : load(out + c) * factor, (int)min<i64>(LANES, a.V - c));
  }
  if (a.lse) a.lse[t * a.H + h] = (float)lse;
}

}  // namespace latentkit::LATENTKIT_ISA
