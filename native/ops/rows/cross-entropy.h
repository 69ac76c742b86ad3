// crossEntropy: the loss of each row of logits, and its gradient.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "vectors.h"

namespace latentkit::LATENTKIT_ISA {

// Numbers that are summed in f32; sums of them in f64.
constexpr i64 LOGITS_EACH = 64 * LANES;

static INLINE float largestLogit(const float* x, i64 n) {
  F found[4] = {set1(-INFINITY_F32), set1(-INFINITY_F32), set1(-INFINITY_F32), set1(-INFINITY_F32)};
  i64 i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) found[v] = vmax(found[v], load(x + i + v * LANES));
  }
  for (; i + LANES <= n; i += LANES) found[0] = vmax(found[0], load(x + i));
  float largest = hmax(vmax(vmax(found[0], found[1]), vmax(found[2], found[3])));
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

static INLINE double sumOfLogits(const float* x, i64 n) {
  double total = 0;
  for (i64 first = 0; first < n; first += LOGITS_EACH) {
    F sums = {};
    for (i64 i = first; i < min(n, first + LOGITS_EACH); i += LANES) sums += loadLanes(x + i, (int)min<i64>(LANES, n - i));
    total += (double)sum(sums);
  }
  return total;
}

// to = exp(x - largest); returns their sum.
static INLINE double exponentialsOf(float* to, const float* x, i64 n, float largest) {
  double total = 0;
  for (i64 first = 0; first < n; first += LOGITS_EACH) {
    const i64 last = min(n, first + LOGITS_EACH);
    F sums = {};
    i64 i = first;
    for (; i + LANES <= last; i += LANES) {
      const F e = exponentialBelow(load(x + i) - largest);
      store(to + i, e);
      sums += e;
    }
    total += (double)sum(sums);
    for (; i < last; i++) total += (double)(to[i] = exponentialBelow(set1(x[i] - largest))[0]);
  }
  return total;
}

static void crossEntropy(Context& context, const CrossEntropyRecord& r) {
  const i64 V = r.V;
  context.each(r.T, 1, [&](i64 t) {
    const i64 target = r.targets[t];
    const float* x = r.logits + t * V;
    float* to = r.dlogits + t * V;
    if (target < 0) {
      r.loss[t] = 0;
      __builtin_memset(to, 0, (size_t)V * 4);
      return;
    }
    const float largest = largestLogit(x, V);
    const double wanted = x[target], mean = r.smoothing != 0 ? sumOfLogits(x, V) / (double)V : 0;
    const double total = exponentialsOf(to, x, V, largest);
    const double lse = (double)largest + log64(total);
    r.loss[t] = (float)(lse - (1 - r.smoothing) * wanted - r.smoothing * mean + r.zLoss * lse * lse);
    const double share = r.scale * (1 + 2 * r.zLoss * lse) / total;
    const F by = set1((float)share), all = set1((float)(-r.scale * r.smoothing / (double)V));
    const double own = (double)to[target] * share - r.scale * (1 - r.smoothing + r.smoothing / (double)V);
    eachVector(V, [&](i64 i, int lanes) { storeLanes(to + i, fma(loadLanes(to + i, lanes), by, all), lanes); });
    to[target] = (float)own;
  });
}

}  // namespace latentkit::LATENTKIT_ISA
