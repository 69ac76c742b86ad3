// weightBackward: the gradient of a weight.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "block-product.h"
#include "token-rows.h"

namespace latentkit::LATENTKIT_ISA {

// One block, the `unit`-th: dw += scale dyᵀ x over T tokens. dw [rows, cols].
template <class N>
static void weightGradient(float* dw, i64 rows, i64 cols, const TokenRows& dy, const TokenRows& x, i64 T, float scale,
                           const BlockSplit& split, i64 unit, char* scratch) {
  const BlockMemory memory(scratch);
  const i64 row = unit / split.colBlocks * split.rowsEach, col = unit % split.colBlocks * split.colsEach;
  const i64 m = min(split.rowsEach, rows - row), width = min(split.colsEach, cols - col);
  const Sums sums = addedTo(dw + row * cols + col, cols, scale);
  for (i64 first = 0; first < T; first += DEPTH<N>) {
    const i64 n = min(DEPTH<N>, T - first);
    packAcross<N>(memory.left, m, n, [&](i64 k) { return dy.at(first + k) + row; });
    multiplyBlock<N>(
        sums, m, width, n, memory.right, [&](i64 r) { return packedAcross<N>(memory.left, r); },
        [&](float* to, i64 c, i64 count) { packSteps<N>(to, n, count, [&](i64 k) { return x.at(first + k) + col + c; }); },
        [&](i64 k, i64 c) { fetchRow(x.at(first + k) + col + c, TILE_COLUMNS); });
  }
}

static size_t scratchBytes(const WeightBackwardRecord&) { return BlockMemory::BYTES; }

static void weightBackward(Context& context, const WeightBackwardRecord& r) {
  const TokenRows dy = {(char*)r.dy, r.dyT, nullptr, 1}, x = {(char*)r.x, r.xT, nullptr, 1};
  const BlockSplit split(r.rows, r.cols, context.solo ? 1 : context.threads);
  context.each(split.units(), 1, [&](i64 unit) {
    withFactors(r.rounded, [&](auto factors) {
      weightGradient<decltype(factors)>(r.dw, r.rows, r.cols, dy, x, r.T, r.scale, split, unit, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
