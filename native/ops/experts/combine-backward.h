// combineExpertsBackward: the gradients of what the experts gave and of their weights.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void combineExpertsBackward(Context& context, const CombineExpertsBackwardRecord& r) {
  const i64 T = r.T, K = r.K, D = r.D;
  const int32_t* places = r.plan + (r.size - T * K);
  i64 begin, end;
  while (context.claim(T, rowGrain(K * D), begin, end)) {
    for (i64 a = begin * K; a < end * K; a++) {
      const float* dy = r.dy + a / K * D;
      const float* part = r.part + places[a] * D;
      float* dpart = r.dpart + places[a] * D;
      const F weight = set1(r.weights[a]);
      F sums = {};
      eachVector(D, [&](i64 i, int lanes) {
        const F d = loadLanes(dy + i, lanes);
        storeLanes(dpart + i, fma(weight, d, loadLanes(dpart + i, lanes)), lanes);
        sums = fma(loadLanes(part + i, lanes), d, sums);
      });
      r.dweights[a] += sum(sums);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
