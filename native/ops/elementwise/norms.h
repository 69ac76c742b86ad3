// rmsNorm, layerNorm.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

// Sum over n of f(x[i]): lane i mod LANES, i rising.
template <class Each> INLINE float laneSum(const float* x, i64 n, Each each) {
  F sums = {};
  i64 i = 0;
  for (; i + LANES <= n; i += LANES) sums = each(sums, load(x + i), LANES);
  if (i < n) sums = each(sums, loadPart(x + i, (int)(n - i)), (int)(n - i));
  return sum(sums);
}

static void rmsNorm(Context& context, const RmsNormRecord& r) {
  const i64 n = r.extent.n;
  context.each(r.extent.rows(), rowGrain(n), [&](i64 row) {
    const float* from = r.x.floats(r.extent, row);
    float* to = r.y.floats(r.extent, row);
    const float squares = laneSum(from, n, [](F sums, F v, int) { return fma(v, v, sums); });
    const F norm = set1((float)(1 / squareRoot((double)squares / n + r.eps)));
    i64 i = 0;
    for (; i + LANES <= n; i += LANES) store(to + i, load(from + i) * norm * load(r.weight + i));
    const int rest = (int)(n - i);
    if (rest) storePart(to + i, loadPart(from + i, rest) * norm * loadPart(r.weight + i, rest), rest);
  });
}

static void layerNorm(Context& context, const LayerNormRecord& r) {
  const i64 n = r.extent.n;
  context.each(r.extent.rows(), rowGrain(n), [&](i64 row) {
    const float* from = r.x.floats(r.extent, row);
    float* to = r.y.floats(r.extent, row);
    F mean = set1((float)((double)laneSum(from, n, [](F sums, F v, int) { return sums + v; }) / n));
    const auto deviation = [&](F v, int lanes) {
      F d = v - mean;
      for (int l = lanes; l < LANES; l++) d[l] = 0;
      return d;
    };
    // Once more around the first mean: a mean far from zero would be summed too roughly.
    const float rest = laneSum(from, n, [&](F sums, F v, int lanes) { return sums + deviation(v, lanes); });
    mean += set1((float)((double)rest / n));
    const float squares = laneSum(from, n, [&](F sums, F v, int lanes) {
      const F d = deviation(v, lanes);
      return fma(d, d, sums);
    });
    const F norm = set1((float)(1 / squareRoot((double)squares / n + r.eps)));
    for (i64 i = 0; i < n; i += LANES) {
      const int lanes = (int)min<i64>(LANES, n - i);
      F v = (loadPart(from + i, lanes) - mean) * norm * loadPart(r.weight + i, lanes);
      if (r.bias) v += loadPart(r.bias + i, lanes);
      storePart(to + i, v, lanes);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
