// expertWeightBackward: the gradients of all experts' matrices.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/block-product.h"
#include "../product/token-rows.h"
#include "../product/weight-backward.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const ExpertWeightBackwardRecord&) { return BlockMemory::BYTES; }

static void expertWeightBackward(Context& context, const ExpertWeightBackwardRecord& r) {
  const BlockSplit split(r.rows, r.cols, context.solo ? 1 : ceilDiv(context.threads, max<i64>(1, r.experts)));
  context.each(r.experts * split.units(), 1, [&](i64 unit) {
    const i64 e = unit / split.units(), first = r.plan[e];
    const TokenRows dy = {(char*)(r.dy + first * r.rows), r.rows, nullptr, 1};
    const TokenRows x = expertRows(r.x, r.cols, r.plan, r.experts, r.perToken, first);
    withFactors(r.rounded, [&](auto factors) {
      weightGradient<decltype(factors)>(r.dw + e * r.rows * r.cols, r.rows, r.cols, dy, x, r.plan[e + 1] - first, 1, split,
                                        unit % split.units(), context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
