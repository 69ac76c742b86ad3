// expertMatmul: a product with each expert's matrix, for the rows that a plan (group.h) gives it.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../product/epilogue.h"
#include "../product/float-product.h"
#include "../product/token-rows.h"
#include "../product/work-split.h"
#include "../quant/activations.h"
#include "../quant/formats.h"
#include "../quant/operations.h"
#include "../quant/product.h"
#include "../rows/matrix.h"
#include "expert-matrix.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const ExpertMatmulRecord& r) {
  return r.w.packed ? packedScratch(r.w.cols) : panelBytes(r.w.cols);
}

static size_t sharedBytes(const ExpertMatmulRecord& r) {
  return r.w.packed ? (size_t)(r.xRows * quantisedStride(r.w.cols)) : 0;
}

static void expertMatmul(Context& context, const ExpertMatmulRecord& r) {
  const i64 experts = r.w.experts, rows = r.w.rows, cols = r.w.cols, perToken = r.perToken;
  const bool packed = r.w.packed;
  const int32_t* plan = r.plan;
  if (packed && isQuantising(context, r.mustQuantise)) {
    return quantiseRows(context, r.xRows, cols, [&](i64 row) { return r.x + row * cols; });
  }
  Epilogue epilogue = {};
  epilogue.scale = 1;
  const i64 stride = quantisedStride(cols);
  const i64 tileBytes = packed ? packedTileBytes((Dtype)(int)r.w.table[1], cols) : 0;
  const auto unitsOf = [&](i64 T) {
    if (T == 0) return (i64)0;
    return packed ? PackedWorkSplit(T, ceilDiv(rows, TILE_ROWS), tileBytes).units() : WorkSplit(T, rows, cols).units();
  };
  // Units in the order of experts that have rows; they rise, so that the expert is found by walking on.
  i64 total = 0;
  for (i64 e = 0; e < experts; e++) total += unitsOf(plan[e + 1] - plan[e]);
  i64 e = 0, before = 0;
  context.eachRun(total, [&](i64 at) {
    for (;; e++) {
      const i64 units = unitsOf(plan[e + 1] - plan[e]);
      if (at < before + units) break;
      before += units;
    }
    const i64 first = plan[e], T = plan[e + 1] - first, unit = at - before;
    const TokenRows y = {(char*)(r.y + first * rows), rows, nullptr, 1};
    const Matrix w = expertMatrix(r.w, e);
    if (packed) {
      const int32_t* assignments = plan + experts + 1 + first;
      const auto row = [&](i64 t) { return context.shared + (perToken ? assignments[t] / perToken : first + t) * stride; };
      const PackedWorkSplit split(T, ceilDiv(rows, TILE_ROWS), tileBytes);
      return packedUnit(y, row, T, w, {0, rows}, split, unit, epilogue, context.scratch);
    }
    const WorkSplit split(T, rows, cols);
    const i64 n = unit / split.tokenBlocks * split.rowsEach, t = unit % split.tokenBlocks * split.tokensEach;
    const TokenRows x = expertRows(r.x, cols, plan, experts, perToken, first);
    productOfMatrix(y, x, t, min(T, t + split.tokensEach), w, n, min(split.rowsEach, rows - n), n, epilogue,
                    (float*)context.scratch);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
