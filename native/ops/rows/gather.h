// gatherRows: rows of a tensor by index.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

static void gatherRows(Context& context, const GatherRowsRecord& r) {
  context.each(r.T, rowGrain(r.cols), [&](i64 t) {
    copyBytes(r.y + t * r.cols, r.x + r.index[t] * r.cols, (size_t)r.cols * 4);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
