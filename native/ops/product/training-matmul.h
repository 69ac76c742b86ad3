// trainingMatmul: the product of many rows with a weight, by the blocks of the backward rules.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/matrix.h"
#include "block-product.h"
#include "token-rows.h"

namespace latentkit::LATENTKIT_ISA {

// One block, the `unit`-th, of T rows: y = base + scale (x Wᵀ + bias), where `sums` says what for row 0 and column 0.
template <class N>
static void rowsTimesWeight(const Sums& sums, const TokenRows& x, i64 T, const Matrix& w, const BlockSplit& split, i64 unit,
                            char* scratch) {
  const BlockMemory memory(scratch);
  const i64 t = unit / split.colBlocks * split.rowsEach, c0 = unit % split.colBlocks * split.colsEach;
  const i64 tokens = min(split.rowsEach, T - t), cols = min(split.colsEach, w.rows - c0);
  Sums to = sums.part(t, c0);
  for (i64 first = 0; first < w.cols; first += DEPTH<N>) {
    const i64 n = min(DEPTH<N>, w.cols - first);
    packAlong<N>(memory.left, tokens, n, [&](i64 r) { return x.at(t + r) + first; });
    multiplyBlock<N>(
        to, tokens, cols, n, memory.right, [&](i64 r) { return packedAlong<N>(memory.left, r); },
        [&](float* panel, i64 c, i64 width) {
          if (w.dtype == F32) return packColumns<N>(panel, n, width, [&](i64 i) { return w.row<float>(c0 + c + i) + first; });
          for (i64 i = 0; i < width; i++) w.toFloats(memory.plain + i * DEPTH<N>, c0 + c + i, first, n, 1);
          packColumns<N>(panel, n, width, [&](i64 i) { return memory.plain + i * DEPTH<N>; });
        },
        [](i64, i64) {});
    to = addedTo(to.at, to.row, to.scale);
  }
}

static size_t scratchBytes(const TrainingMatmulRecord&) { return BlockMemory::BYTES; }

static void trainingMatmul(Context& context, const TrainingMatmulRecord& r) {
  const Matrix w(r.w);
  const TokenRows x = {(char*)r.x, r.xT, nullptr, 1};
  const Sums sums = {r.y, r.yT, r.scale, r.residual, r.residualT, r.bias};
  const BlockSplit split(r.T, w.rows, context.solo ? 1 : context.threads);
  context.each(split.units(), 1, [&](i64 unit) {
    withFactors(r.rounded, [&](auto factors) {
      rowsTimesWeight<decltype(factors)>(sums, x, r.T, w, split, unit, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
