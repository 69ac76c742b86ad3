// headMatmul on weights of floats.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../quant/activations.h"
#include "../quant/operations.h"
#include "../quant/rows.h"
#include "../quant/up-project-bf16.h"
#include "../rows/matrix.h"
#include "../rows/row-types.h"
#include "epilogue.h"
#include "float-product.h"
#include "register-tiles.h"
#include "token-rows.h"
#include "work-split.h"

namespace latentkit::LATENTKIT_ISA {

// Columns of a unit of the transposed product. For one token more at once: the rows' pieces are read in larger runs.
INLINE i64 axpyColumns(i64 T) { return (T == 1 ? AXPY_ONE : AXPY_NV) * LANES; }

static size_t scratchBytes(const HeadMatmulRecord& p) {
  const Matrix w(p.w);
#ifdef LATENTKIT_BF16_PAIRS
  if (isAcrossPairs(p, w)) return acrossPairsScratch(p, w);
#endif
  if (isPacked(w.dtype)) return p.transposed ? packedAcrossScratch(p.rows) : packedScratch(w.cols);
  return p.transposed ? (size_t)(p.rows * axpyColumns(p.T)) * 4 : panelBytes(w.cols);
}

static size_t sharedBytes(const HeadMatmulRecord& p) {
  if (!isPacked(p.w.dtype) || p.transposed) return 0;
  return (size_t)(p.T * (p.xH == 0 ? 1 : p.H) * quantisedStride(p.w.cols));
}

static void headMatmulAlong(Context& context, const HeadMatmulRecord& p, const Matrix& w) {
  const WorkSplit split(p.T, p.rows, w.cols);
  Epilogue epilogue = {};
  epilogue.scale = 1;
  context.each(p.H * split.units(), 1, [&](i64 at) {
    const i64 h = at / split.units(), unit = at % split.units();
    const i64 n = unit / split.tokenBlocks * split.rowsEach, t = unit % split.tokenBlocks * split.tokensEach;
    const TokenRows y = {(char*)(p.y + h * p.yH), p.yT, nullptr, 1};
    const TokenRows x = {(char*)(p.x + h * p.xH), p.xT, nullptr, 1};
    productOfMatrix(y, x, t, min(p.T, t + split.tokensEach), w, h * p.headRows + p.firstRow + n,
                    min(split.rowsEach, p.rows - n), n, epilogue, (float*)context.scratch);
  });
}

// y[t] = sum over n of x[t, n] W[n] on columns c .. + width for tokens t0 .. t1.
template <class Row>
static __attribute__((noinline)) void axpyTokens(const HeadMatmulRecord& p, i64 h, i64 t0, i64 t1,
                                                 const typename Row::Type* w, i64 stride, i64 c, i64 width) {
  float* y[AXPY_MR];
  const float* x[AXPY_MR];
  i64 t = t0;
  for (; t + AXPY_MR <= t1; t += AXPY_MR) {
    for (int i = 0; i < AXPY_MR; i++) {
      y[i] = p.y + (t + i) * p.yT + h * p.yH + c;
      x[i] = p.x + (t + i) * p.xT + h * p.xH;
    }
    axpyRows<Row, AXPY_MR>(y, x, w, stride, p.rows, width, false);
  }
  for (; t < t1; t++) {
    y[0] = p.y + t * p.yT + h * p.yH + c;
    x[0] = p.x + t * p.xT + h * p.xH;
    axpyRows<Row, 1>(y, x, w, stride, p.rows, width, false);
  }
}

// From so many tokens on, columns of short floats are converted once for all of them.
constexpr i64 ACROSS_PANEL_TOKENS = 8;

static void headMatmulAcross(Context& context, const HeadMatmulRecord& p, const Matrix& w) {
  const i64 columns = axpyColumns(p.T), blocks = ceilDiv(w.cols, columns);
  const i64 tokensEach = max<i64>(1, p.H * blocks >= 16 ? p.T : min(p.T, TOKEN_BLOCK));
  const i64 tokenBlocks = ceilDiv(p.T, tokensEach);
  context.each(p.H * blocks * tokenBlocks, 1, [&](i64 unit) {
    const i64 t0 = unit % tokenBlocks * tokensEach, t1 = min(p.T, t0 + tokensEach);
    const i64 c = unit / tokenBlocks % blocks * columns, width = min(columns, w.cols - c);
    const i64 h = unit / tokenBlocks / blocks, row = h * p.headRows + p.firstRow;
    if (w.dtype == E4M3 || (w.dtype != F32 && t1 - t0 >= ACROSS_PANEL_TOKENS)) {
      float* panel = (float*)context.scratch;
      for (i64 n = 0; n < p.rows; n++) w.toFloats(panel + n * columns, row + n, c, width, 1);
      axpyTokens<RowF32>(p, h, t0, t1, panel, columns, c, width);
      return;
    }
    switch (w.dtype) {
      case F16: axpyTokens<RowF16>(p, h, t0, t1, w.row<uint16_t>(row) + c, w.cols, c, width); break;
      case BF16: axpyTokens<RowBf16>(p, h, t0, t1, w.row<uint16_t>(row) + c, w.cols, c, width); break;
      case F32: axpyTokens<RowF32>(p, h, t0, t1, w.row<float>(row) + c, w.cols, c, width); break;
      case E4M3:
      case I32:
      case U8:
      case F64:
      LATENTKIT_PACKED_CASES:
      LATENTKIT_SCALED_CASES: impossible();
    }
  });
}

static void headMatmul(Context& context, const HeadMatmulRecord& p) {
  const Matrix w(p.w);
#ifdef LATENTKIT_BF16_PAIRS
  if (isAcrossPairs(p, w)) return packedHeadAcrossPairs(context, p, w);
#endif
  if (isPacked(w.dtype)) return p.transposed ? packedHeadAcross(context, p, w) : packedHeadAlong(context, p, w);
  if (p.transposed) headMatmulAcross(context, p, w);
  else headMatmulAlong(context, p, w);
}

}  // namespace latentkit::LATENTKIT_ISA
