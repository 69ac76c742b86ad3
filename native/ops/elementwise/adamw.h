// adamW: a step of the optimiser.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void adamW(Context& context, const AdamWRecord& r) {
  constexpr i64 EACH = 16384;
  const F gradientScale = set1((float)r.gradientScale), eps = set1((float)r.eps);
  const F beta1 = set1((float)r.beta1), fresh1 = set1((float)(1 - r.beta1));
  const F beta2 = set1((float)r.beta2), fresh2 = set1((float)(1 - r.beta2));
  const F rate = set1((float)(r.rate / r.correction1)), spread = set1((float)(1 / squareRoot(r.correction2)));
  const F keep = set1((float)(1 - r.rate * r.decay));
  const auto update = [&](F w, F& m, F& v, F g) {
    g *= gradientScale;
    m = fma(beta1, m, fresh1 * g);
    v = fma(beta2, v, fresh2 * g * g);
    return w * keep - rate * m / fma(root(v), spread, eps);
  };
  i64 begin, end;
  while (context.claimRun(ceilDiv(r.n, EACH), begin, end)) {
    const i64 first = begin * EACH;
    eachVector(min(r.n, end * EACH) - first, [&](i64 at, int lanes) {
      const i64 i = first + at;
      F m = loadLanes(r.m + i, lanes), v = loadLanes(r.v + i, lanes);
      storeLanes(r.w + i, update(loadLanes(r.w + i, lanes), m, v, loadLanes(r.g + i, lanes)), lanes);
      storeLanes(r.m + i, m, lanes);
      storeLanes(r.v + i, v, lanes);
    });
  }
}

}  // namespace latentkit::LATENTKIT_ISA
