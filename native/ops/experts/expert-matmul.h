// expertMatmul: a product with each expert's matrix, for the rows that a plan (group.h) gives it.
#pragma once
#include "../../core/context.h"
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

namespace latentkit::LATENTKIT_ISA {

// The matrix of one expert from the table [address, dtype, scales] per expert.
static INLINE Matrix expertMatrix(const double* table, i64 e, i64 rows, i64 cols, i64 scaleRows, i64 scaleCols) {
  const double fields[] = {table[3 * e], table[3 * e + 1], (double)rows,      (double)cols,
                           table[3 * e + 2], (double)scaleRows, (double)scaleCols};
  Args args = {fields};
  return Matrix(args);
}

static size_t expertMatmulScratch(Args args) {
  args.next += 11;
  return panelBytes(args.count());
}

static size_t expertMatmulShared(Args args) {
  args.next += 4;
  const i64 rows = args.count();
  const bool packed = args.flag();
  args.next += 5;
  return packed ? (size_t)(rows * quantisedStride(args.count())) : 0;
}

static void expertMatmul(Context& context, Args args) {
  const TokenRows yRows = {args.pointer<char>(), 0, nullptr, 1};
  char* x = args.pointer<char>();
  const int32_t* plan = args.pointer<const int32_t>();
  const i64 perToken = args.count();  // 0: x is grouped already
  const i64 xRows = args.count();
  const bool packed = args.flag();
  const double* table = args.pointer<const double>();
  const i64 experts = args.count(), scaleRows = args.count(), scaleCols = args.count();
  const i64 rows = args.count(), cols = args.count();
  const bool fresh = args.flag();
  if (packed && isQuantising(context, fresh)) {
    return quantiseRows(context, xRows, cols, [&](i64 r) { return (float*)x + r * cols; });
  }
  Epilogue epilogue = {};
  epilogue.scale = 1;
  const i64 stride = quantisedStride(cols);
  const i64 tileBytes = packed ? packedTileBytes((Dtype)(int)table[1], cols) : 0;
  const auto unitsOf = [&](i64 T) {
    if (T == 0) return (i64)0;
    return packed ? PackedWorkSplit(T, ceilDiv(rows, TILE_ROWS), tileBytes).units() : WorkSplit(T, rows, cols).units();
  };
  // Units in the order of experts that have rows; they rise, so that the expert is found by walking on.
  i64 total = 0;
  for (i64 e = 0; e < experts; e++) total += unitsOf(plan[e + 1] - plan[e]);
  i64 begin, end, e = 0, before = 0;
  const auto run = [&](i64 at) {
    for (;; e++) {
      const i64 units = unitsOf(plan[e + 1] - plan[e]);
      if (at < before + units) break;
      before += units;
    }
    const i64 first = plan[e], T = plan[e + 1] - first, unit = at - before;
    TokenRows y = yRows;
    y.base += first * rows * 4;
    y.stride = rows;
    const Matrix w = expertMatrix(table, e, rows, cols, scaleRows, scaleCols);
    if (packed) {
      const int32_t* assignments = plan + experts + 1 + first;
      const auto row = [&](i64 t) { return context.shared + (perToken ? assignments[t] / perToken : first + t) * stride; };
      return packedUnit(y, row, T, w, {0, rows}, PackedWorkSplit(T, ceilDiv(rows, TILE_ROWS), tileBytes), unit, epilogue);
    }
    const WorkSplit split(T, rows, cols);
    const i64 n = unit / split.tokenBlocks * split.rowsEach, t = unit % split.tokenBlocks * split.tokensEach;
    TokenRows from = {x, cols, nullptr, 1};
    if (perToken > 0) {
      from.plan = plan + experts + 1 + first;
      from.perToken = perToken;
    } else {
      from.base += first * cols * 4;
    }
    productOfMatrix(y, from, t, min(T, t + split.tokensEach), w, n, min(split.rowsEach, rows - n), n, epilogue,
                    (float*)context.scratch);
  };
  while (context.claimRun(total, begin, end)) {
    for (i64 unit = begin; unit < end; unit++) run(unit);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
