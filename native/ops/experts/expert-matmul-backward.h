// expertMatmulBackward: the gradient of what was multiplied with each expert's matrix.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/block-product.h"
#include "../product/matmul-backward.h"
#include "expert-matrix.h"

namespace latentkit::LATENTKIT_ISA {

// Calls `call(expert, its first row, its rows, split, unit)` for this thread's blocks of the products of all experts' rows, with as many
// columns. An expert has few rows, and there are many of them: each is split as for one thread.
template <class Call> INLINE void eachExpertBlock(Context& context, const int32_t* plan, i64 experts, i64 cols, Call call) {
  const auto splitOf = [&](i64 e) { return BlockSplit(plan[e + 1] - plan[e], cols, 1); };
  i64 total = 0, e = 0, before = 0;
  for (i64 i = 0; i < experts; i++) total += splitOf(i).units();
  context.each(total, 1, [&](i64 unit) {
    while (unit >= before + splitOf(e).units()) before += splitOf(e++).units();
    call(e, plan[e], plan[e + 1] - plan[e], splitOf(e), unit - before);
  });
}

static size_t scratchBytes(const ExpertMatmulBackwardRecord&) { return BlockMemory::BYTES; }

static void expertMatmulBackward(Context& context, const ExpertMatmulBackwardRecord& r) {
  const i64 rows = r.w.rows, cols = r.w.cols;
  eachExpertBlock(context, r.plan, r.w.experts, cols, [&](i64 e, i64 first, i64 tokens, const BlockSplit& split, i64 unit) {
    withFactors(r.rounded, [&](auto factors) {
      inputGradient<decltype(factors)>(r.dx + first * cols, cols, r.dy + first * rows, rows, tokens, expertMatrix(r.w, e), 1, true,
                                       split, unit, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
