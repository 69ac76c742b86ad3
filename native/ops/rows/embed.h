// embed: rows of a matrix by id.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "matrix.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

static void embed(Context& context, const EmbedRecord& r) {
  const Matrix w(r.w);
  context.each(r.T, rowGrain(w.cols), [&](i64 t) { w.toFloats(r.y + t * w.cols, r.ids[t], 0, w.cols, r.scale); });
}

}  // namespace latentkit::LATENTKIT_ISA
