// The transposed product of packed weights in pairs of bf16, by which MLA up-projects keys and values: y = x W per head,
// where x and W may be rounded. A head's weights are converted to panels once, for all tokens of a unit.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../attention/numbers.h"
#include "../attention/panels.h"
#include "../rows/matrix.h"
#include "../rows/row-types.h"
#include "formats.h"

namespace latentkit::LATENTKIT_ISA {

#ifdef LATENTKIT_BF16_PAIRS

// Tokens of a unit, at most: of heads alone there may be too few for all threads.
constexpr i64 PAIRS_TOKENS = 512;

// It takes whole tiles of rows.
INLINE bool isAcrossPairs(const HeadMatmulRecord& p, const Matrix& w) {
  return isPacked(w.dtype) && p.transposed && !p.exact && (p.headRows | p.firstRow | p.rows) % (2 * TILE_ROWS) == 0;
}

// Panels and the words of some tokens.
INLINE size_t acrossPairsScratch(const HeadMatmulRecord& p, const Matrix& w) {
  return (size_t)(p.rows / 2 * (w.cols + PANEL_MR)) * 4;
}

// Rows firstRow .. + rows as panels [cols / PANEL_COLUMNS, rows / 2, PANEL_COLUMNS] of words that hold neighbouring rows.
template <class P> static void pairRows(float* panels, const u8* base, i64 cols, i64 firstRow, i64 rows) {
  static_assert(PARTS == 1 && PANEL_COLUMNS == STEP && LANES == TILE_ROWS);
  for (i64 done = 0; done < rows; done += TILE_ROWS) {
    const u8* tile = base + (firstRow + done) / TILE_ROWS * P::tileBytes(cols);
    typename P::Step step(tile, 0);
    for (i64 s = 0; s < cols / STEP; s++, step.next()) {
      float* panel = panels + (s * rows + done) / 2 * PANEL_COLUMNS;
      for (int half = 0; half < 2; half++) {
        F x[LANES];  // columns, whose lanes are rows; then transposed
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
          const int g = (4 * half + j) / (8 / P::GROUPS_PER_STEP);
          const F scale = step.scale(g, 0);
          const U codes = (U)step.codes(4 * half + j, 0);
#pragma GCC unroll 4
          for (int i = 0; i < 4; i++) {
            x[4 * j + i] = floats((I)((codes >> (8 * i)) & 255) - P::OFFSET) * scale;
            if constexpr (P::HAS_MIN) x[4 * j + i] += step.min(g, 0);
          }
        }
        transpose(x);
#pragma GCC unroll 8
        for (int r = 0; r < LANES; r += 2) {
          store(panel + r / 2 * PANEL_COLUMNS + half * LANES, interleaved(pairs(x[r], x[r + 1])));
        }
      }
    }
  }
}

// Tokens t .. + MR of a head times its panels.
template <int MR>
static INLINE void acrossPairs(const HeadMatmulRecord& p, i64 h, i64 t, const float* panels, i64 cols, float* words) {
  const i64 n = p.rows / 2;
  const float* x[MR];
  float* y[MR];
  for (int i = 0; i < MR; i++) {
    const float* from = p.x + (t + i) * p.xT + h * p.xH;
    for (i64 c = 0; c < n; c += LANES) {
      store(words + i * n + c, AsBf16::along<RowF32>(from + 2 * c, p.rows - 2 * c));
    }
    x[i] = words + i * n;
  }
  for (i64 c = 0; c < cols; c += PANEL_COLUMNS, panels += n * PANEL_COLUMNS) {
    for (int i = 0; i < MR; i++) y[i] = p.y + (t + i) * p.yT + h * p.yH + c;
    panelTile<AsBf16, MR, PANEL_NV>(y, x, panels, n, false);
  }
}

static void packedHeadAcrossPairs(Context& context, const HeadMatmulRecord& p, const Matrix& w) {
  const i64 tokenBlocks = ceilDiv(p.T, PAIRS_TOKENS);
  float* panels = (float*)context.scratch;
  float* words = panels + p.rows / 2 * w.cols;
  context.each(p.H * tokenBlocks, 1, [&](i64 unit) {
    const i64 h = unit / tokenBlocks, last = min(p.T, (unit % tokenBlocks + 1) * PAIRS_TOKENS);
    withFormat(w.dtype, [&](auto format) {
      pairRows<decltype(format)>(panels, (const u8*)w.address, w.cols, h * p.headRows + p.firstRow, p.rows);
    });
    i64 t = unit % tokenBlocks * PAIRS_TOKENS;
    for (; t + PANEL_MR <= last; t += PANEL_MR) acrossPairs<PANEL_MR>(p, h, t, panels, w.cols, words);
    for (; t < last; t++) acrossPairs<1>(p, h, t, panels, w.cols, words);
  });
}

#endif

}  // namespace latentkit::LATENTKIT_ISA
