// routeBackward: the gradient of the logits that experts were chosen by, in f64 as the choice.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "softmax.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const RouteBackwardRecord& r) { return (size_t)r.E * 2 * sizeof(double); }

static void routeBackward(Context& context, const RouteBackwardRecord& r) {
  const i64 E = r.E, K = r.K;
  double* scores = (double*)context.scratch;
  double* dscores = scores + E;
  context.each(r.T, 4, [&](i64 t) {
    const float* logits = r.logits + t * E;
    const float* dweights = r.dweights + t * K;
    const int32_t* chosen = r.indices + t * K;
    for (i64 e = 0; e < E; e++) {
      scores[e] = r.sigmoid ? 1 / (1 + exp64(-(double)logits[e])) : logits[e];
      dscores[e] = 0;
    }
    if (!r.sigmoid) softmax(scores, E);
    double total = 1e-20, along = 0;
    for (i64 j = 0; j < K; j++) {
      total += scores[chosen[j]];
      along += scores[chosen[j]] * dweights[j];
    }
    for (i64 j = 0; j < K; j++) {
      dscores[chosen[j]] += r.scale * (r.normalise ? dweights[j] / total - along / (total * total) : dweights[j]);
    }
    double mean = 0;
    if (!r.sigmoid) {
      for (i64 e = 0; e < E; e++) mean += scores[e] * dscores[e];
    }
    for (i64 e = 0; e < E; e++) {
      const double d = r.sigmoid ? (1 - scores[e]) * dscores[e] : dscores[e] - mean;
      r.dlogits[t * E + e] += (float)(scores[e] * d);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
