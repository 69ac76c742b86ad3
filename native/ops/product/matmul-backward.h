// matmulBackward: the gradient of what was multiplied with a weight.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/matrix.h"
#include "../rows/row-types.h"
#include "block-product.h"

namespace latentkit::LATENTKIT_ISA {

// One block, the `unit`-th: dx += scale dy W, where dy [T, rows of W] and dx [T, cols of W] have these strides.
static void inputGradient(float* dx, i64 dxStride, const float* dy, i64 dyStride, i64 T, const Matrix& w, float scale,
                          const BlockSplit& split, i64 unit, char* scratch) {
  const BlockMemory memory(scratch);
  const i64 t = unit / split.colBlocks * split.rowsEach, c0 = unit % split.colBlocks * split.colsEach;
  const i64 tokens = min(split.rowsEach, T - t), cols = min(split.colsEach, w.cols - c0);
  const Sums sums = {dx + t * dxStride + c0, dxStride, scale, true};
  for (i64 first = 0; first < w.rows; first += DEPTH) {
    const i64 n = min(DEPTH, w.rows - first);
    packAlong(memory.left, tokens, n, [&](i64 r) { return dy + (t + r) * dyStride + first; });
    const auto multiply = [&](auto pack, auto fetch) {
      multiplyBlock(sums, tokens, cols, n, memory.right,
                    [&](i64 r) { return LeftFactor{memory.left + r * DEPTH, DEPTH, 1}; }, pack, fetch);
    };
    if (w.dtype == F32) {
      const float* from = w.row<float>(first) + c0;
      multiply([&](float* to, i64 k, i64 c, i64 count) { packStep(to, from + k * w.cols + c, count); },
               [&](i64 k, i64 c) { fetchRow(from + k * w.cols + c, TILE_COLUMNS); });
    } else {
      multiply(
          [&](float* to, i64 k, i64 c, i64 count) {
            w.toFloats(to, first + k, c0 + c, count, 1);
            for (i64 i = count; i < TILE_COLUMNS; i++) to[i] = 0;
          },
          [](i64, i64) {});
    }
  }
}

static size_t scratchBytes(const MatmulBackwardRecord&) { return BlockMemory::BYTES; }

static void matmulBackward(Context& context, const MatmulBackwardRecord& r) {
  const Matrix w(r.w);
  const BlockSplit split(r.T, w.cols, context.solo ? 1 : context.threads);
  i64 begin, end;
  while (context.claim(split.units(), 1, begin, end)) {
    inputGradient(r.dx, r.dxT, r.dy, r.dyT, r.T, w, r.scale, split, begin, context.scratch);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
