// How the factors of a block lie where they are multiplied: words of one number, or of two that are rounded to bf16 (numbers.h).
#pragma once
#include "../../simd/simd.h"
#include "../attention/numbers.h"
#include "../rows/row-types.h"
#include "sums.h"
#include "tiles.h"

namespace latentkit::LATENTKIT_ISA {

// Word (i, k) lies at at[i * row + k * step].
struct LeftFactor {
  const float* at;
  i64 row, step;
};

// Word k of n; its columns follow each other, in whole vectors.
struct RightFactor {
  const float* at;
  i64 step;
};

// Sums of more terms are taken apart, so that what is multiplied stays in the caches (and rounding errors grow less). Tiles multiply so fast
// that sums should seldom be fetched and put back.
template <class N> constexpr i64 DEPTH = ON_TILES<N> ? 640 : 256;
// Rows of packed words are no power of two apart: read downwards, they would meet in the same lines of the cache (measured: 6 %).
template <class N> constexpr i64 ROW_STRIDE = (ON_TILES<N> ? DEPTH<N> / N::PER_WORD : DEPTH<N>) + 8;

// Fetches `count` numbers from memory.
INLINE void fetchRow(const float* row, i64 count) {
  for (i64 c = 0; c < count; c += LINE_BYTES / 4) fetchLine(row + c);
}

// Packs n numbers of each of `rows` rows as rows of words, ROW_STRIDE apart: `row(r)` is where a row begins.
template <class N, class Row> INLINE void packAlong(float* to, i64 rows, i64 n, Row row) {
  for (i64 r = 0; r < rows; r++, to += ROW_STRIDE<N>) {
    const float* from = row(r);
    constexpr i64 EACH = LANES * N::PER_WORD;
    i64 k = 0;
    for (; k < n; k += EACH) store(to + k / N::PER_WORD, N::template along<RowF32>(from + k, n - k));
  }
}

// What packAlong and packAcross have packed, from row r on, a multiple of ROWS_AT_ONCE.
template <class N> INLINE LeftFactor packedAlong(const float* rows, i64 r) { return {rows + r * ROW_STRIDE<N>, ROW_STRIDE<N>, 1}; }
template <class N> INLINE LeftFactor packedAcross(const float* tiles, i64 r) {
  if constexpr (ON_TILES<N>) return packedAlong<N>(tiles, r);
  else return {tiles + r * DEPTH<N>, 1, PANEL_MR};
}

alignas(64) constexpr float NO_NUMBERS[LANES] = {};

// LANES words of the steps k .. of n from column c on; zeros behind `count` columns and behind the last step.
template <class N, class Step> INLINE F wordsAcross(Step step, i64 k, i64 n, i64 c, i64 count) {
  const char* rows[2] = {(const char*)step(k), nullptr};
  if constexpr (N::PER_WORD == 2) rows[1] = (const char*)(k + 1 < n ? step(k + 1) : NO_NUMBERS - c);
  return N::template across<RowF32>(rows, c, count - c);
}

// The left factor's n steps of `rows` numbers as rows of words, ROW_STRIDE apart: `step(k)` is where the numbers of step k lie.
template <class N, class Step> static INLINE void packTurned(float* to, i64 rows, i64 n, Step step) {
  for (i64 k = 0; k < n; k += LANES * N::PER_WORD) {
    for (i64 r = 0; r < rows; r += LANES) {
      F x[LANES];
      for (int i = 0; i < LANES; i++) {
        const i64 at = k + i * N::PER_WORD;
        x[i] = at < n ? wordsAcross<N>(step, at, n, r, rows) : F{};
      }
      transpose(x);
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) store(to + (r + i) * ROW_STRIDE<N> + k / N::PER_WORD, x[i]);
    }
  }
}

// Packs the left factor's n steps of `rows` numbers as tiles of [DEPTH, PANEL_MR] words: `step(k)` is where the numbers of step k lie.
// Some steps at a time fill whole lines, while the next ones come from memory.
template <class N, class Step> static INLINE void packAcross(float* tiles, i64 rows, i64 n, Step step) {
  if constexpr (ON_TILES<N>) return packTurned<N>(tiles, rows, n, step);
  constexpr i64 TOGETHER = 8 * N::PER_WORD, TILES = LANES > PANEL_MR ? LANES / PANEL_MR : 1;
  float words[LANES > PANEL_MR ? LANES : PANEL_MR];
  for (i64 k = 0; k < n; k += TOGETHER) {
    const i64 last = min(n, k + TOGETHER);
    for (i64 i = last; i < min(n, k + 2 * TOGETHER); i++) fetchRow(step(i), rows);
    for (i64 r = 0; r < rows; r += TILES * PANEL_MR) {
      float* to = tiles + r * DEPTH<N> + k / N::PER_WORD * PANEL_MR;
      for (i64 i = k; i < last; i += N::PER_WORD, to += PANEL_MR) {
        store(words, wordsAcross<N>(step, i, n, r, rows));
        for (i64 t = 0; t < min(TILES, ceilDiv(rows - r, PANEL_MR)); t++) copyBytes(to + t * DEPTH<N> * PANEL_MR, words + t * PANEL_MR, PANEL_MR * 4);
      }
    }
  }
}

// A panel of the right factor whose steps lie as they are: columns of n steps, zeros behind `width` of them.
template <class N, class Step> INLINE void packSteps(float* to, i64 n, i64 width, Step step) {
  for (i64 k = 0; k < n; k += N::PER_WORD, to += TILE_COLUMNS) {
#pragma GCC unroll 4
    for (i64 c = 0; c < TILE_COLUMNS; c += LANES) store(to + c, c < width ? wordsAcross<N>(step, k, n, c, width) : F{});
  }
}

// A panel of the right factor whose columns lie as rows: `row(c)` is where the n numbers of column c begin.
template <class N, class Row> static INLINE void packColumns(float* to, i64 n, i64 width, Row row) {
  constexpr i64 EACH = LANES * N::PER_WORD;
  for (i64 c = 0; c < TILE_COLUMNS; c += LANES) {
    for (i64 k = 0; k < n; k += EACH) {
      F x[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) x[i] = c + i < width ? N::template along<RowF32>(row(c + i) + k, n - k) : F{};
      transpose(x);
      const i64 words = min<i64>(LANES, ceilDiv(n - k, N::PER_WORD));
      for (i64 i = 0; i < words; i++) store(to + (k / N::PER_WORD + i) * TILE_COLUMNS + c, x[i]);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
