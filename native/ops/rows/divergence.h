// divergence: how far the softmax of each row of logits is from that of the wanted ones, and its gradient.
#pragma once
#include "cross-entropy.h"

namespace latentkit::LATENTKIT_ISA {

// Of one row of wanted logits w and of logits x: sums over the row, both less their largest.
struct DivergenceSums {
  double wanted;  // exp(w)
  double found;   // exp(x)
  double apart;   // exp(w) (w - x)
};

static INLINE DivergenceSums divergenceSums(const float* w, const float* x, i64 n, float topW, float topX) {
  DivergenceSums all = {0, 0, 0};
  for (i64 first = 0; first < n; first += LOGITS_EACH) {
    F wanted = {}, found = {}, apart = {};
    for (i64 i = first; i < min(n, first + LOGITS_EACH); i += LANES) {
      const int lanes = (int)min<i64>(LANES, n - i);
      const F a = loadLanes(w + i, lanes) - topW, b = loadLanes(x + i, lanes) - topX;
      const F e = onlyLanes(exponentialBelow(a), lanes);
      wanted += e;
      found += onlyLanes(exponentialBelow(b), lanes);
      // A share of 0 counts nothing, also where its logit is -infinity.
      apart = fma(e, e > 0.0f ? a - b : F{}, apart);
    }
    all.wanted += (double)sum(wanted);
    all.found += (double)sum(found);
    all.apart += (double)sum(apart);
  }
  return all;
}

static void divergence(Context& context, const DivergenceRecord& r) {
  const i64 V = r.V;
  context.each(r.T, 1, [&](i64 t) {
    const float* x = r.logits + t * V;
    const float* w = r.wanted + t * V;
    float* to = r.dlogits + t * V;
    const float topW = largestLogit(w, V), topX = largestLogit(x, V);
    const DivergenceSums sums = divergenceSums(w, x, V, topW, topX);
    r.loss[t] = (float)(sums.apart / sums.wanted - log64(sums.wanted) + log64(sums.found));
    const F byW = set1((float)(-r.scale / sums.wanted)), byX = set1((float)(r.scale / sums.found));
    eachVector(V, [&](i64 i, int lanes) {
      const F p = exponentialBelow(loadLanes(w + i, lanes) - topW), q = exponentialBelow(loadLanes(x + i, lanes) - topX);
      storeLanes(to + i, fma(q, byX, p * byW), lanes);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
