// combineExperts: the weighted sum of what the experts gave.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void combineExperts(Context& context, const CombineExpertsRecord& r) {
  const i64 T = r.T, K = r.K, D = r.D;
  const int32_t* places = r.plan + (r.size - T * K);
  context.each(T, rowGrain(K * D), [&](i64 t) {
    for (i64 i = 0; i < D; i += LANES) {
      const int lanes = (int)min<i64>(LANES, D - i);
      F total = loadPart(r.residual + t * D + i, lanes);
      for (i64 j = 0; j < K; j++) {
        total = fma(set1(r.weights[t * K + j]), loadPart(r.part + places[t * K + j] * D + i, lanes), total);
      }
      storePart(r.y + t * D + i, total, lanes);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
