// probabilities: captured scores as weights of the values.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void probabilities(Context& context, Args args) {
  const float* lse = args.pointer<const float>();
  const i64 heads = args.count(), T = args.count(), S = args.count();
  float* p = args.pointer<float>();
  const i64 pH = args.count(), pT = args.count();
  const float* scores = args.pointer<const float>();
  const i64 sH = args.count(), sT = args.count();
  i64 begin, end;
  while (context.claim(heads * T, rowGrain(S), begin, end)) {
    for (i64 r = begin; r < end; r++) {
      const i64 h = r / T, t = r % T;
      const float* from = scores + h * sH + t * sT;
      float* to = p + h * pH + t * pT;
      const float total = lse[t * heads + h];
      for (i64 i = 0; i < S; i += LANES) {
        const int lanes = (int)min<i64>(LANES, S - i);
        const F score = loadPart(from + i, lanes);
        // A row that sees nothing has lse -inf: its masked scores are 0 all the same.
        storePart(to + i, score == -INFINITY_F32 ? F{} : exponential(score - total), lanes);
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
