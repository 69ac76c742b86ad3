// gatherRows: rows of a tensor by index.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

static void gatherRows(Context& context, const GatherRowsRecord& r) {
  i64 begin, end;
  while (context.claim(r.T, rowGrain(r.cols), begin, end)) {
    for (i64 t = begin; t < end; t++) copyBytes(r.y + t * r.cols, r.x + r.index[t] * r.cols, (size_t)r.cols * 4);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
