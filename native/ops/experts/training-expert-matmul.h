// trainingExpertMatmul: expertMatmul of many rows, by the blocks of the backward rules.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/block-product.h"
#include "../product/token-rows.h"
#include "../product/training-matmul.h"
#include "expert-matmul-backward.h"
#include "expert-matrix.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const TrainingExpertMatmulRecord&) { return BlockMemory::BYTES; }

static void trainingExpertMatmul(Context& context, const TrainingExpertMatmulRecord& r) {
  const i64 experts = r.w.experts, rows = r.w.rows, cols = r.w.cols;
  eachExpertBlock(context, r.plan, experts, rows, [&](i64 e, i64 first, i64 tokens, const BlockSplit& split, i64 unit) {
    const TokenRows x = expertRows(r.x, cols, r.plan, experts, r.perToken, first);
    withFactors(r.rounded, [&](auto factors) {
      rowsTimesWeight<decltype(factors)>(writtenTo(r.y + first * rows, rows), x, tokens, expertMatrix(r.w, e), split, unit,
                                         context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
