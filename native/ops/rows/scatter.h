// scatterRows: rows added to those of a tensor by index.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// Each thread has columns of its own: rows of equal index are added in their order.
static void scatterRows(Context& context, const ScatterRowsRecord& r) {
  constexpr i64 COLUMNS = 8 * LANES;
  const F scale = set1(r.scale);
  i64 begin, end;
  while (context.claim(ceilDiv(r.cols, COLUMNS), 1, begin, end)) {
    const i64 first = begin * COLUMNS, last = min(r.cols, first + COLUMNS);
    for (i64 t = 0; t < r.T; t++) {
      const float* from = r.x + t * r.cols;
      float* to = r.y + r.index[t] * r.cols;
      i64 i = first;
      for (; i + LANES <= last; i += LANES) store(to + i, fma(scale, load(from + i), load(to + i)));
      const int rest = (int)(last - i);
      if (rest) storePart(to + i, fma(scale, loadPart(from + i, rest), loadPart(to + i, rest)), rest);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
