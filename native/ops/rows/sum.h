// sumRows: the sum of all rows.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "column-sums.h"
#include "vectors.h"

namespace latentkit::LATENTKIT_ISA {

static void sumRows(Context& context, const SumRowsRecord& r) {
  const F scale = set1(r.scale);
  sumColumns<1>(
      context, r.T, r.cols,
      [&](F(&sums)[1], i64 t, i64 c, int lanes) { sums[0] += loadLanes(r.x + t * r.xT + c, lanes); },
      [&](F(&sums)[1], i64 c, int lanes) { storeLanes(r.y + c, fma(scale, sums[0], loadLanes(r.y + c, lanes)), lanes); });
}

}  // namespace latentkit::LATENTKIT_ISA
