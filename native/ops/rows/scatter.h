// scatterRows: rows added to those of a tensor by index.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "vectors.h"

namespace latentkit::LATENTKIT_ISA {

// Each thread has columns of its own: rows of equal index are added in their order.
static void scatterRows(Context& context, const ScatterRowsRecord& r) {
  constexpr i64 COLUMNS = 8 * LANES;
  const F scale = set1(r.scale);
  context.each(ceilDiv(r.cols, COLUMNS), 1, [&](i64 block) {
    const i64 first = block * COLUMNS;
    for (i64 t = 0; t < r.T; t++) {
      const float* from = r.x + t * r.cols + first;
      float* to = r.y + r.index[t] * r.cols + first;
      eachVector(min(COLUMNS, r.cols - first), [&](i64 i, int lanes) {
        storeLanes(to + i, fma(scale, loadLanes(from + i, lanes), loadLanes(to + i, lanes)), lanes);
      });
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
