// matmulBackward: the gradient of what was multiplied with a weight.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/matrix.h"
#include "block-product.h"

namespace latentkit::LATENTKIT_ISA {

// One block, the `unit`-th: dx (+)= scale dy W, where dy [T, rows of W] and dx [T, cols of W] have these strides.
template <class N>
static void inputGradient(float* dx, i64 dxStride, const float* dy, i64 dyStride, i64 T, const Matrix& w, float scale,
                          bool add, const BlockSplit& split, i64 unit, char* scratch) {
  const BlockMemory memory(scratch);
  const i64 t = unit / split.colBlocks * split.rowsEach, c0 = unit % split.colBlocks * split.colsEach;
  const i64 tokens = min(split.rowsEach, T - t), cols = min(split.colsEach, w.cols - c0);
  Sums sums = addedTo(dx + t * dxStride + c0, dxStride, scale);
  if (!add) sums.base = nullptr;
  for (i64 first = 0; first < w.rows; first += DEPTH<N>) {
    const i64 n = min(DEPTH<N>, w.rows - first);
    packAlong<N>(memory.left, tokens, n, [&](i64 r) { return dy + (t + r) * dyStride + first; });
    const auto left = [&](i64 r) { return packedAlong<N>(memory.left, r); };
    if (w.dtype == F32) {
      const float* from = w.row<float>(first) + c0;
      multiplyBlock<N>(
          sums, tokens, cols, n, memory.right, left,
          [&](float* to, i64 c, i64 width) { packSteps<N>(to, n, width, [&](i64 k) { return from + k * w.cols + c; }); },
          [&](i64 k, i64 c) { fetchRow(from + k * w.cols + c, TILE_COLUMNS); });
    } else {
      multiplyBlock<N>(
          sums, tokens, cols, n, memory.right, left,
          [&](float* to, i64 c, i64 width) {
            for (i64 k = 0; k < n; k++) w.toFloats(memory.plain + k * TILE_COLUMNS, first + k, c0 + c, width, 1);
            packSteps<N>(to, n, width, [&](i64 k) { return memory.plain + k * TILE_COLUMNS; });
          },
          [](i64, i64) {});
    }
    sums.base = sums.at;
  }
}

static size_t scratchBytes(const MatmulBackwardRecord&) { return BlockMemory::BYTES; }

static void matmulBackward(Context& context, const MatmulBackwardRecord& r) {
  const Matrix w(r.w);
  const BlockSplit split(r.T, w.cols, context.solo ? 1 : context.threads);
  context.each(split.units(), 1, [&](i64 unit) {
    withFactors(r.rounded, [&](auto factors) {
      inputGradient<decltype(factors)>(r.dx, r.dxT, r.dy, r.dyT, r.T, w, r.scale, r.add, split, unit, context.scratch);
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
