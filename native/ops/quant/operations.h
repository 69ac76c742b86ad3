// matmul, headMatmul and expertMatmul where the weight is packed. Before the first product of some rows they are
// quantised into the shared memory, as a phase of its own; further products of the same rows find them there.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/epilogue.h"
#include "../product/token-rows.h"
#include "../rows/matrix.h"
#include "activations.h"
#include "formats.h"
#include "product.h"
#include "rows.h"

namespace latentkit::LATENTKIT_ISA {

// Whether this call is the quantising phase of a product that must quantise rows.
INLINE bool isQuantising(Context& context, bool mustQuantise) {
  context.more = mustQuantise && context.phase == 0;
  return context.more;
}

static void packedMatmul(Context& context, const TokenRows& y, const TokenRows& x, i64 T, const Matrix& w,
                         const Epilogue& epilogue, bool mustQuantise) {
  if (isQuantising(context, mustQuantise)) return quantiseRows(context, T, w.cols, [&](i64 t) { return x.at(t); });
  const i64 stride = quantisedStride(w.cols);
  const auto row = [&](i64 t) { return context.shared + t * stride; };
  const PackedWorkSplit split(T, ceilDiv(w.rows, TILE_ROWS), packedTileBytes(w.dtype, w.cols));
  context.eachRun(split.units(), [&](i64 unit) {
    packedUnit(y, row, T, w, {0, w.rows}, split, unit, epilogue, context.scratch);
  });
}

static void packedHeadAlong(Context& context, const HeadMatmulRecord& p, const Matrix& w) {
  const i64 rowHeads = p.xH == 0 ? 1 : p.H;
  if (isQuantising(context, p.mustQuantise)) {
    return quantiseRows(context, p.T * rowHeads, w.cols,
                        [&](i64 r) { return p.x + r / rowHeads * p.xT + r % rowHeads * p.xH; });
  }
  const i64 stride = quantisedStride(w.cols);
  // The tiles that a head's rows touch: one more where they do not begin with a tile.
  const i64 tiles = ceilDiv(p.rows, TILE_ROWS) + ((p.headRows | p.firstRow) % TILE_ROWS == 0 ? 0 : 1);
  const PackedWorkSplit split(p.T, tiles, packedTileBytes(w.dtype, w.cols), p.H);
  Epilogue epilogue = {};
  epilogue.scale = 1;
  context.eachRun(p.H * split.units(), [&](i64 unit) {
    const i64 h = unit / split.units(), first = h * p.headRows + p.firstRow;
    const TokenRows y = {(char*)(p.y + h * p.yH), p.yT, nullptr, 1};
    const auto row = [&](i64 t) { return context.shared + (t * rowHeads + (rowHeads > 1 ? h : 0)) * stride; };
    packedUnit(y, row, p.T, w, {first, first + p.rows}, split, unit % split.units(), epilogue,
               context.scratch);
  });
}

static void packedHeadAcross(Context& context, const HeadMatmulRecord& p, const Matrix& w) {
  const i64 steps = w.cols / STEP;
  context.each(p.H * steps, 1, [&](i64 unit) {
    const i64 h = unit / steps, step = unit % steps;
    withFormat(w.dtype, [&](auto format) {
      typedef decltype(format) P;
      for (i64 t = 0; t < p.T;) {
        float* y[ACROSS_MR];
        const float* x[ACROSS_MR];
        const int n = p.T - t >= ACROSS_MR ? ACROSS_MR : 1;
        for (int i = 0; i < n; i++) {
          y[i] = p.y + (t + i) * p.yT + h * p.yH;
          x[i] = p.x + (t + i) * p.xT + h * p.xH;
        }
        const auto call = [&](auto count) {
          packedAcross<P, decltype(count)::value>(y, x, (const u8*)w.address, w.cols, step, h * p.headRows + p.firstRow,
                                                  p.rows, (float*)context.scratch);
        };
        if (n == 1) call(Count<1>{});
        else call(Count<ACROSS_MR>{});
        t += n;
      }
    });
  });
}

}  // namespace latentkit::LATENTKIT_ISA
