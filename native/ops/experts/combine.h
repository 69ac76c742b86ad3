// combineExperts: the weighted sum of what the experts gave.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void combineExperts(Context& context, Args args) {
  float* y = args.pointer<float>();
  const float* part = args.pointer<const float>();
  const float* weights = args.pointer<const float>();
  const int32_t* places = args.pointer<const int32_t>();
  const float* residual = args.pointer<const float>();
  const i64 T = args.count(), K = args.count(), D = args.count();
  i64 begin, end;
  while (context.claim(T, rowGrain(K * D), begin, end)) {
    for (i64 t = begin; t < end; t++) {
      for (i64 i = 0; i < D; i += LANES) {
        const int lanes = (int)min<i64>(LANES, D - i);
        F total = loadPart(residual + t * D + i, lanes);
        for (i64 j = 0; j < K; j++) {
          total = fma(set1(weights[t * K + j]), loadPart(part + places[t * K + j] * D + i, lanes), total);
        }
        storePart(y + t * D + i, total, lanes);
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
