// trainingExpertMatmul: expertMatmul of many rows, by the blocks of the backward rules.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/block-product.h"
#include "../product/token-rows.h"
#include "../product/training-matmul.h"
#include "expert-matmul.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const TrainingExpertMatmulRecord&) { return BlockMemory::BYTES; }

static void trainingExpertMatmul(Context& context, const TrainingExpertMatmulRecord& r) {
  const i64 experts = r.w.experts, rows = r.w.rows, cols = r.w.cols;
  const auto tokensOf = [&](i64 e) { return (i64)r.plan[e + 1] - r.plan[e]; };
  // As for expertMatmulBackward.
  const auto splitOf = [&](i64 e) { return BlockSplit(tokensOf(e), rows, 1); };
  i64 total = 0;
  for (i64 e = 0; e < experts; e++) total += splitOf(e).units();
  i64 e = 0, before = 0;
  context.each(total, 1, [&](i64 at) {
    while (at >= before + splitOf(e).units()) before += splitOf(e++).units();
    const i64 first = r.plan[e];
    TokenRows x = {(char*)r.x, cols, nullptr, 1};
    if (r.perToken > 0) {
      x.plan = r.plan + experts + 1 + first;
      x.perToken = r.perToken;
    } else {
      x.base += first * cols * 4;
    }
    withFactors(r.rounded, [&](auto factors) {
      rowsTimesWeight<decltype(factors)>(writtenTo(r.y + first * rows, rows), x, tokensOf(e), expertMatrix(r.w, e), splitOf(e),
                                         at - before, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
