// sumHeads: what query heads give to the key head that they share.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void sumHeads(Context& context, const SumHeadsRecord& r) {
  const i64 each = r.G ? r.H / r.G : 0;
  context.each(r.S * r.G, rowGrain(each * r.n), [&](i64 row) {
    const i64 s = row / r.G, g = row % r.G;
    const float* from = r.x + s * r.xS + g * each * r.xH;
    float* to = r.y + s * r.yS + g * r.yG;
    eachVector(r.n, [&](i64 i, int lanes) {
      F sums = {};
      for (i64 h = 0; h < each; h++) sums += loadLanes(from + h * r.xH + i, lanes);
      storeLanes(to + i, loadLanes(to + i, lanes) + sums, lanes);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
