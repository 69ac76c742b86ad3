// probabilities: captured scores as weights of the values.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void probabilities(Context& context, const ProbabilitiesRecord& r) {
  const i64 heads = r.H, T = r.T, S = r.S;
  context.each(heads * T, rowGrain(S), [&](i64 row) {
    const i64 h = row / T, t = row % T;
    const float* from = r.scores + h * r.scoresH + t * r.scoresT;
    float* to = r.p + h * r.pH + t * r.pT;
    const float total = r.lse[t * heads + h];
    for (i64 i = 0; i < S; i += LANES) {
      const int lanes = (int)min<i64>(LANES, S - i);
      const F score = loadPart(from + i, lanes);
      // A row that sees nothing has lse -inf: its masked scores are 0 all the same.
      storePart(to + i, score == -INFINITY_F32 ? F{} : exponential(score - total), lanes);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
