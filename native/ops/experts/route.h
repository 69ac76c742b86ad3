// route: the choice of experts, in f64 so that near ties fall as in the reference.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "softmax.h"

namespace latentkit::LATENTKIT_ISA {

// Index of the largest of n numbers that are not taken, the lowest among equals; takes it.
static INLINE i64 takeLargest(const double* numbers, bool* taken, i64 n) {
  i64 best = -1;
  for (i64 i = 0; i < n; i++) {
    if (!taken[i] && (best < 0 || numbers[i] > numbers[best])) best = i;
  }
  taken[best] = true;
  return best;
}

static INLINE void scoresOf(double* scores, const float* logits, const RouteRecord& r) {
  const i64 n = r.E;
  if (r.sigmoid) {
    for (i64 e = 0; e < n; e++) scores[e] = 1 / (1 + exp64(-(double)logits[e]));
    return;
  }
  for (i64 e = 0; e < n; e++) scores[e] = logits[e];
  softmax(scores, n);
}

// -inf into the groups that lose; a biased score may be negative, so not 0 unless the model does.
static INLINE void maskGroups(double* choice, double* groupScores, bool* taken, const RouteRecord& r) {
  const i64 size = r.E / r.groups;
  for (i64 g = 0; g < r.groups; g++) {
    double first = -__builtin_inf(), second = -__builtin_inf();
    for (i64 e = g * size; e < (g + 1) * size; e++) {
      if (choice[e] > first) {
        second = first;
        first = choice[e];
      } else if (choice[e] > second) {
        second = choice[e];
      }
    }
    groupScores[g] = r.top2 ? first + (size > 1 ? second : 0) : first;
    taken[g] = false;
  }
  for (i64 i = 0; i < r.topkGroups; i++) takeLargest(groupScores, taken, r.groups);
  for (i64 g = 0; g < r.groups; g++) {
    if (taken[g]) continue;
    for (i64 e = g * size; e < (g + 1) * size; e++) choice[e] = r.zeroLosers ? 0 : -__builtin_inf();
  }
}

static size_t scratchBytes(const RouteRecord& r) {
  return (size_t)r.E * (3 * sizeof(double) + sizeof(bool));
}

static void route(Context& context, const RouteRecord& r) {
  const i64 T = r.T, K = r.K, E = r.E;
  double* scores = (double*)context.scratch;
  double* choice = scores + E;
  double* groupScores = choice + E;
  bool* taken = (bool*)(groupScores + E);
  context.each(T, 4, [&](i64 t) {
    scoresOf(scores, r.logits + t * E, r);
    for (i64 e = 0; e < E; e++) {
      const double biased = scores[e] + (r.bias ? r.bias[e] : 0);
      choice[e] = isNan(biased) ? -__builtin_inf() : biased;
    }
    if (r.topkGroups < r.groups) maskGroups(choice, groupScores, taken, r);
    for (i64 e = 0; e < E; e++) taken[e] = false;
    double total = 0;
    for (i64 j = 0; j < K; j++) {
      const i64 e = takeLargest(choice, taken, E);
      r.indices[t * K + j] = (int32_t)e;
      total += scores[e];
    }
    const double factor = r.normalise ? r.scale / (total + 1e-20) : r.scale;
    for (i64 j = 0; j < K; j++) r.weights[t * K + j] = (float)(scores[r.indices[t * K + j]] * factor);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
