// mergeAttention: results over disjoint sets of keys become one.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "log-sum-exp.h"

namespace latentkit::LATENTKIT_ISA {

// y += weight x, or y = weight x if `first`. Weight 0: what x holds is not looked at.
static INLINE void addPart(float* y, const float* x, double weight, i64 n, bool first) {
  if (weight == 0) {
    if (first) {
      for (i64 i = 0; i < n; i++) y[i] = 0;
    }
    return;
  }
  const F by = set1((float)weight);
  for (i64 i = 0; i < n; i += LANES) {
    const int lanes = (int)min<i64>(LANES, n - i);
    const F part = loadPart(x + i, lanes);
    storePart(y + i, first ? by * part : fma(by, part, loadPart(y + i, lanes)), lanes);
  }
}

static size_t mergeAttentionScratch(Args args) { return (size_t)args.count() * 8; }

static void mergeAttention(Context& context, Args args) {
  const i64 n = args.count(), rows = args.count(), V = args.count();
  float* out = args.pointer<float>();
  float* lse = args.pointer<float>();
  const float* parts = args.pointer<const float>();
  const float* partLse = args.pointer<const float>();
  double* weights = (double*)context.scratch;
  i64 begin, end;
  while (context.claim(rows, rowGrain(n * V), begin, end)) {
    for (i64 r = begin; r < end; r++) {
      for (i64 i = 0; i < n; i++) weights[i] = partLse[i * rows + r];
      lse[r] = (float)mergeWeights(weights, n);
      for (i64 i = 0; i < n; i++) addPart(out + r * V, parts + (i * rows + r) * V, weights[i], V, i == 0);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
