// Products of blocks that lie in the caches, for training: a number of the result is a sum of `n` products, one chain in rising order,
// whatever tile it is computed in; then it goes where `Sums` says.
//
// Factors are f32, or rounded to bf16. Rounded ones are multiplied as pairs where the machine does that (numbers.h), else as f32: the
// products are the same, and exact, the sums are of f32 in both.
#pragma once
#include "../../simd/simd.h"
#include "../attention/numbers.h"
#include "../rows/row-types.h"
#include "register-tiles.h"

namespace latentkit::LATENTKIT_ISA {

// Columns of a result that a tile computes.
constexpr i64 TILE_COLUMNS = PANEL_NV * LANES;

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

// Where sums go: base + scale * (sum + bias), where there is a base, and a bias of each column.
struct Sums {
  float* at;
  i64 row;
  float scale;
  const float* base;
  i64 baseRow;
  const float* bias;
  INLINE Sums part(i64 r, i64 c) const {
    return {at + r * row + c, row, scale, base ? base + r * baseRow + c : nullptr, baseRow, bias ? bias + c : nullptr};
  }
};

// Sums that are added, times `scale`, to what is there; and sums that replace it.
INLINE Sums addedTo(float* at, i64 row, float scale) { return {at, row, scale, at, row, nullptr}; }
INLINE Sums writtenTo(float* at, i64 row) { return {at, row, 1, nullptr, 0, nullptr}; }

template <class N, int MR, int NV>
static __attribute__((noinline)) void blockTile(const Sums& c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  F sums[MR][NV];
  clear(sums);
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
    for (int v = 0; v < NV; v++) {
      if (c.base) __builtin_prefetch(c.base + i * c.baseRow + v * LANES);
      if (c.base != c.at) __builtin_prefetch(c.at + i * c.row + v * LANES, 1);
    }
  }
  const float* rows[MR];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) rows[i] = a.at + i * a.row;
  const float* columns = b.at;
  for (i64 k = 0, at = 0; k < n; k++, at += a.step, columns += b.step) {
    F ws[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) ws[v] = load(columns + v * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) {
      const F xs = set1(rows[i][at]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) sums[i][v] = N::multiplyAdd(xs, ws[v], sums[i][v]);
    }
  }
  const F scale = set1(c.scale);
#pragma GCC unroll 4
  for (int v = 0; v < NV; v++) {
    const i64 rest = width - v * LANES;
    if (rest <= 0) return;
    const int lanes = rest < LANES ? (int)rest : LANES;
    const auto at = [&](const float* from) { return lanes == LANES ? load(from + v * LANES) : loadPart(from + v * LANES, lanes); };
    const F bias = c.bias ? at(c.bias) : F{};
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) {
      float* to = c.at + i * c.row + v * LANES;
      const F sum = c.bias ? sums[i][v] + bias : sums[i][v];
      const F result = c.base ? fma(scale, sum, at(c.base + i * c.baseRow)) : scale * sum;
      if (lanes == LANES) store(to, result);
      else storePart(to, result, lanes);
    }
  }
}

template <class N, int MR> INLINE void blockRows(const Sums& c, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (width > LANES) blockTile<N, MR, PANEL_NV>(c, width, a, b, n);
  else blockTile<N, MR, 1>(c, width, a, b, n);
}

// `rows` <= PANEL_MR rows at `width` <= TILE_COLUMNS columns.
template <class N> static INLINE void fewRows(const Sums& c, i64 rows, i64 width, LeftFactor a, RightFactor b, i64 n) {
  if (rows == PANEL_MR) return blockRows<N, PANEL_MR>(c, width, a, b, n);
  constexpr int HALF = PANEL_MR / 2;
  for (i64 r = 0; r < rows;) {
    const i64 count = rows - r >= HALF ? HALF : 1;
    const LeftFactor left = {a.at + r * a.row, a.row, a.step};
    if (count == HALF) blockRows<N, HALF>(c.part(r, 0), width, left, b, n);
    else blockRows<N, 1>(c.part(r, 0), width, left, b, n);
    r += count;
  }
}

// Sums of more terms are taken apart, so that what is multiplied stays in the caches (and rounding errors grow less).
constexpr i64 DEPTH = 256;
// Rows of packed words are no power of two apart: read downwards, they would meet in the same lines of the cache (measured: 6 %).
constexpr i64 ROW_STRIDE = DEPTH + 8;

// Blocks of a result of rows x cols. The left factor of a block is packed once for all its columns, into the second-level cache, the
// right one a panel at a time for all its rows, into the first: both should be many. Threads should have equally many blocks, or
// enough of them. Sums do not depend on the blocks.
struct BlockSplit {
  static constexpr i64 MAX_ROWS = 384, FEW_ROWS = 48, FEW_COLUMNS = 96;
  i64 rowsEach, colsEach, rowBlocks, colBlocks;
  INLINE BlockSplit(i64 rows, i64 cols, i64 threads) {
    rowBlocks = ceilDiv(rows, MAX_ROWS);
    colBlocks = min<i64>(1, cols);
    for (;;) {
      rowsEach = roundUp(ceilDiv(rows, max<i64>(1, rowBlocks)), PANEL_MR);
      colsEach = roundUp(ceilDiv(cols, max<i64>(1, colBlocks)), TILE_COLUMNS);
      if (units() % threads == 0 || units() >= 4 * threads) break;
      if (colsEach >= max<i64>(2 * rowsEach, 2 * FEW_COLUMNS)) colBlocks *= 2;
      else if (rowsEach >= 2 * FEW_ROWS) rowBlocks *= 2;
      else break;
    }
    rowBlocks = ceilDiv(rows, max<i64>(1, rowsEach));
    colBlocks = ceilDiv(cols, max<i64>(1, colsEach));
  }
  INLINE i64 units() const { return rowBlocks * colBlocks; }
};

// What a thread packs of a block.
struct BlockMemory {
  static constexpr i64 LEFT = ROW_STRIDE * (BlockSplit::MAX_ROWS + PANEL_MR), RIGHT = DEPTH * TILE_COLUMNS;
  static constexpr size_t BYTES = (size_t)(LEFT + 2 * RIGHT) * 4;
  // `plain`: of the right factor as f32, where a weight has another type.
  float *right, *plain, *left;
  INLINE explicit BlockMemory(char* scratch) : right((float*)scratch), plain(right + RIGHT), left(plain + RIGHT) {}
};

// Fetches `count` numbers from memory.
INLINE void fetchRow(const float* row, i64 count) {
  for (i64 c = 0; c < count; c += LINE_BYTES / 4) fetchLine(row + c);
}

// f32 factors that have been rounded to bf16.
struct AsRounded : AsF32 {
  static INLINE F rounded(F x) { return (F)(bf16Codes(x) << 16); }
  template <class Row> static INLINE F along(const typename Row::Type* row, i64 n) { return rounded(AsF32::along<Row>(row, n)); }
  template <class Row> static INLINE F across(const char* const* keys, i64 c, i64 n) {
    return rounded(AsF32::across<Row>(keys, c, n));
  }
};

#ifdef LATENTKIT_BF16_PAIRS
typedef AsBf16 RoundedFactors;
#else
typedef AsRounded RoundedFactors;
#endif

// Calls `call` with how factors are multiplied.
template <class Call> INLINE void withFactors(bool rounded, Call call) {
  if (rounded) call(RoundedFactors{});
  else call(AsF32{});
}

// Packs n numbers of each of `rows` rows as rows of words, ROW_STRIDE apart: `row(r)` is where a row begins.
template <class N, class Row> INLINE void packAlong(float* to, i64 rows, i64 n, Row row) {
  for (i64 r = 0; r < rows; r++, to += ROW_STRIDE) {
    const float* from = row(r);
    constexpr i64 EACH = LANES * N::PER_WORD;
    i64 k = 0;
    for (; k < n; k += EACH) store(to + k / N::PER_WORD, N::template along<RowF32>(from + k, n - k));
  }
}

alignas(64) constexpr float NO_NUMBERS[LANES] = {};

// LANES words of the steps k .. of n from column c on; zeros behind `count` columns and behind the last step.
template <class N, class Step> INLINE F wordsAcross(Step step, i64 k, i64 n, i64 c, i64 count) {
  const char* rows[2] = {(const char*)step(k), nullptr};
  if constexpr (N::PER_WORD == 2) rows[1] = (const char*)(k + 1 < n ? step(k + 1) : NO_NUMBERS - c);
  return N::template across<RowF32>(rows, c, count - c);
}

// Packs the left factor's n steps of `rows` numbers as tiles of [DEPTH, PANEL_MR] words: `step(k)` is where the numbers of step k lie.
// Some steps at a time fill whole lines, while the next ones come from memory.
template <class N, class Step> static INLINE void packAcross(float* tiles, i64 rows, i64 n, Step step) {
  constexpr i64 TOGETHER = 8 * N::PER_WORD, TILES = LANES > PANEL_MR ? LANES / PANEL_MR : 1;
  float words[LANES > PANEL_MR ? LANES : PANEL_MR];
  for (i64 k = 0; k < n; k += TOGETHER) {
    const i64 last = min(n, k + TOGETHER);
    for (i64 i = last; i < min(n, k + 2 * TOGETHER); i++) fetchRow(step(i), rows);
    for (i64 r = 0; r < rows; r += TILES * PANEL_MR) {
      float* to = tiles + r * DEPTH + k / N::PER_WORD * PANEL_MR;
      for (i64 i = k; i < last; i += N::PER_WORD, to += PANEL_MR) {
        store(words, wordsAcross<N>(step, i, n, r, rows));
        for (i64 t = 0; t < min(TILES, ceilDiv(rows - r, PANEL_MR)); t++) copyBytes(to + t * DEPTH * PANEL_MR, words + t * PANEL_MR, PANEL_MR * 4);
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

// rows x cols of the result, sums of n steps. `left(r)`: the left factor from row r on, a multiple of PANEL_MR. `pack(panel, c, width)`
// packs columns of the right one, whose step k `fetch(k, c)` has fetched from memory while the columns before were multiplied.
template <class N, class Left, class Pack, class Fetch>
INLINE void multiplyBlock(const Sums& c, i64 rows, i64 cols, i64 n, float* panel, Left left, Pack pack, Fetch fetch) {
  const i64 fetchEach = ceilDiv(n, ceilDiv(rows, PANEL_MR)), words = ceilDiv(n, N::PER_WORD);
  for (i64 col = 0; col < cols; col += TILE_COLUMNS) {
    const i64 width = min(TILE_COLUMNS, cols - col), next = col + TILE_COLUMNS;
    pack(panel, col, width);
    for (i64 r = 0, k = next < cols ? 0 : n; r < rows; r += PANEL_MR) {
      for (const i64 last = min(n, k + fetchEach); k < last; k++) fetch(k, next);
      fewRows<N>(c.part(r, col), min<i64>(PANEL_MR, rows - r), width, left(r), {panel, TILE_COLUMNS}, words);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
