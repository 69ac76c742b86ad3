// expertMatmulBackward: the gradient of what was multiplied with each expert's matrix.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/block-product.h"
#include "../product/matmul-backward.h"
#include "expert-matmul.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const ExpertMatmulBackwardRecord&) { return BlockMemory::BYTES; }

static void expertMatmulBackward(Context& context, const ExpertMatmulBackwardRecord& r) {
  const i64 experts = r.w.experts, rows = r.w.rows, cols = r.w.cols;
  const auto tokensOf = [&](i64 e) { return (i64)r.plan[e + 1] - r.plan[e]; };
  // An expert has few rows, and there are many of them: each is split as for one thread.
  const auto splitOf = [&](i64 e) { return BlockSplit(tokensOf(e), cols, 1); };
  i64 total = 0;
  for (i64 e = 0; e < experts; e++) total += splitOf(e).units();
  i64 e = 0, before = 0;
  context.each(total, 1, [&](i64 at) {
    while (at >= before + splitOf(e).units()) before += splitOf(e++).units();
    const i64 first = r.plan[e];
    withFactors(r.rounded, [&](auto factors) {
      inputGradient<decltype(factors)>(r.dx + first * cols, cols, r.dy + first * rows, rows, tokensOf(e), expertMatrix(r.w, e), 1, true,
                                       splitOf(e), at - before, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
