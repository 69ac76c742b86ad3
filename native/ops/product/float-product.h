// y = residual + scale * (x Wᵀ + bias) on a block of tokens and weight rows: the loop that matmul, headMatmul and
// expertMatmul share.
#pragma once
#include "../../simd/simd.h"
#include "../rows/matrix.h"
#include "../rows/row-types.h"
#include "epilogue.h"
#include "register-tiles.h"
#include "token-rows.h"

namespace latentkit::LATENTKIT_ISA {

template <class Row, int MR, int NR>
INLINE void productTile(const TokenRows& y, const TokenRows& x, i64 t, const typename Row::Type* const* w, i64 k, i64 n,
                        const Epilogue& epilogue, i64 ahead) {
  F sums[MR][NR];
  const float* rows[MR];
  for (int i = 0; i < MR; i++) rows[i] = x.at(t + i);
  clear(sums);
  dotTile<Row, MR, NR>(sums, rows, w, k, ahead);
  if (epilogue.none()) {
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) laneSums(y.at(t + i) + n, sums[i]);
    return;
  }
  float out[MR][NR];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) laneSums(out[i], sums[i]);
  for (int i = 0; i < MR; i++) {
    float* to = y.at(t + i);
    for (int j = 0; j < NR; j++) to[n + j] = epilogue(out[i][j], t + i, n + j);
  }
}

template <class Row, int NR>
static __attribute__((noinline)) void productRows(const TokenRows& y, const TokenRows& x, i64 t0, i64 t1,
                                                  const typename Row::Type* w, i64 stride, i64 k, i64 n,
                                                  const Epilogue& epilogue) {
  const typename Row::Type* rows[NR];
  for (int j = 0; j < NR; j++) rows[j] = w + j * stride;
  // The next rows are fetched while the first tokens use these. (Measured: it does not help f32, nor a single token.)
  i64 ahead = t1 - t0 > 1 && sizeof(typename Row::Type) < 4 ? NR * stride : 0;
  i64 t = t0;
  for (; t + DOT_MR <= t1; t += DOT_MR, ahead = 0) productTile<Row, DOT_MR, NR>(y, x, t, rows, k, n, epilogue, ahead);
  if constexpr (DOT_MR > 3) {
    if (t + 3 <= t1) {
      productTile<Row, 3, NR>(y, x, t, rows, k, n, epilogue, ahead);
      t += 3;
    }
  }
  if constexpr (DOT_MR > 2) {
    if (t + 2 <= t1) {
      productTile<Row, 2, NR>(y, x, t, rows, k, n, epilogue, ahead);
      t += 2;
    }
  }
  for (; t < t1; t++) productTile<Row, 1, NR>(y, x, t, rows, k, n, epilogue, ahead);
}

// Tokens t0 .. t1 times weight rows w[0 .. count], `stride` elements apart, each k long; results at n ...
template <class Row>
INLINE void productBlock(const TokenRows& y, const TokenRows& x, i64 t0, i64 t1, const typename Row::Type* w,
                         i64 stride, i64 count, i64 k, i64 n, const Epilogue& epilogue) {
  i64 j = 0;
  if (t1 - t0 == 1) {
    // One token: as fast as memory is. Short rows are read one after the other, because hardware fetches ahead of one
    // stream per page (measured: half the bandwidth otherwise); of rows longer than a page several at once are as fast or
    // faster.
    const bool several = stride * (i64)sizeof(typename Row::Type) >= ALONE_BYTES;
    for (; several && j + DOT_ONE <= count; j += DOT_ONE) {
      const typename Row::Type* rows[DOT_ONE];
      for (int i = 0; i < DOT_ONE; i++) rows[i] = w + (j + i) * stride;
      productTile<Row, 1, DOT_ONE>(y, x, t0, rows, k, n + j, epilogue, 0);
    }
    for (; j < count; j++) {
      const typename Row::Type* row = w + j * stride;
      productTile<Row, 1, 1>(y, x, t0, &row, k, n + j, epilogue, 0);
    }
  } else {
    for (; j + DOT_NR <= count; j += DOT_NR) {
      productRows<Row, DOT_NR>(y, x, t0, t1, w + j * stride, stride, k, n + j, epilogue);
    }
  }
  if constexpr (DOT_NR > 4) {
    for (; j + 4 <= count; j += 4) productRows<Row, 4>(y, x, t0, t1, w + j * stride, stride, k, n + j, epilogue);
  }
  for (; j < count; j++) productRows<Row, 1>(y, x, t0, t1, w + j * stride, stride, k, n + j, epilogue);
}

// From so many tokens on, rows are converted once for all of them. Rows of f32 are copied, too: apart by a power of two
// they would meet in the same lines of the cache.
constexpr i64 PANEL_TOKENS = LANES == 4 ? 8 : 64;

// Sixteen lanes convert short floats beside the products at no cost (measured: 128 and 512 tokens 1 to 8 % faster).
INLINE bool wantsPanel(Dtype dtype, i64 tokens) {
  return dtype == E4M3 || (tokens >= PANEL_TOKENS && (dtype == F32 || LANES < 16));
}

INLINE i64 panelStride(i64 cols) { return roundUp(cols, LANES) + LANES; }

// Weight rows of one unit: as f32 they fit half of a usual second-level cache.
INLINE i64 rowsPerPanel(i64 cols) {
  const i64 rows = (256 * 1024 / 4) / panelStride(cols);
  return max<i64>(DOT_NR, min<i64>(48, rows / DOT_NR * DOT_NR));
}

// Tokens that all rows of a panel are multiplied with before the next ones: in f32 they stay in the second-level cache, too.
INLINE i64 tokensPerPass(i64 cols) { return max<i64>(24, (256 * 1024 / 4) / max<i64>(1, cols) / 12 * 12); }

INLINE size_t panelBytes(i64 cols) { return (size_t)(rowsPerPanel(cols) * panelStride(cols)) * 4; }

// Tokens t0 .. t1 times rows firstRow .. + count of the matrix; results at n ...
INLINE void productOfMatrix(const TokenRows& y, const TokenRows& x, i64 t0, i64 t1, const Matrix& w, i64 firstRow,
                            i64 count, i64 n, const Epilogue& epilogue, float* panel) {
  if (wantsPanel(w.dtype, t1 - t0)) {
    const i64 stride = panelStride(w.cols);
    for (i64 j = 0; j < count; j++) w.toFloats(panel + j * stride, firstRow + j, 0, w.cols, 1);
    const i64 each = tokensPerPass(w.cols);
    for (i64 t = t0; t < t1; t += each) {
      productBlock<RowF32>(y, x, t, min(t1, t + each), panel, stride, count, w.cols, n, epilogue);
    }
    return;
  }
  switch (w.dtype) {
    case F16: return productBlock<RowF16>(y, x, t0, t1, w.row<uint16_t>(firstRow), w.cols, count, w.cols, n, epilogue);
    case BF16: return productBlock<RowBf16>(y, x, t0, t1, w.row<uint16_t>(firstRow), w.cols, count, w.cols, n, epilogue);
    case F32: return productBlock<RowF32>(y, x, t0, t1, w.row<float>(firstRow), w.cols, count, w.cols, n, epilogue);
    case E4M3:
    case I32:
    case U8:
    case F64:
    LATENTKIT_PACKED_CASES:
    LATENTKIT_SCALED_CASES: impossible();
  }
}

}  // namespace latentkit::LATENTKIT_ISA
