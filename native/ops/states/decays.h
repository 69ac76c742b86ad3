// decays: what the rows of a state are multiplied by.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

// ln(1 + u) for 0 <= u <= 1. (Cephes logf, whose argument is u, so that small ones keep their digits.)
INLINE F logarithmOfOneAnd(F u) {
  const I large = u > 0.41421356f;
  const F m = large ? 0.5f * u - 0.5f : u;
  F p = set1(7.0376836292e-2f);
  p = fma(p, m, set1(-1.1514610310e-1f));
  p = fma(p, m, set1(1.1676998740e-1f));
  p = fma(p, m, set1(-1.2420140846e-1f));
  p = fma(p, m, set1(1.4249322787e-1f));
  p = fma(p, m, set1(-1.6668057665e-1f));
  p = fma(p, m, set1(2.0000714765e-1f));
  p = fma(p, m, set1(-2.4999993993e-1f));
  p = fma(p, m, set1(3.3333331174e-1f));
  const F z = m * m;
  const F log = m + fma(p * m, z, -0.5f * z);
  return large ? log + 0.69314718056f : log;
}

INLINE F softplus(F x) {
  const F magnitude = (F)((I)x & 0x7fffffff);
  const F above = x < 0.0f ? F{} : x;
  return above + logarithmOfOneAnd(exponential(-magnitude));
}

static void decays(Context& context, const DecaysRecord& r) {
  i64 begin, end;
  while (context.claim(r.T * r.H, rowGrain(r.n), begin, end)) {
    for (i64 u = begin; u < end; u++) {
      const i64 t = u / r.H, h = u % r.H;
      const float* x = r.x + t * r.xT + h * r.xH;
      const float* bias = r.bias + h * r.n;
      float* y = r.y + t * r.yT + h * r.yH;
      const F a = exponential(set1(r.logA[h])), floor = set1(r.floor);
      eachVector(r.n, [&](i64 i, int lanes) {
        const F z = loadLanes(x + i, lanes) + loadLanes(bias + i, lanes);
        const F exponent = r.floor < 0 ? floor * sigmoid(a * z) : -a * softplus(z);
        storeLanes(y + i, exponential(exponent), lanes);
      });
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
