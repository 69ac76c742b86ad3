// Scores: queries times keys. The queries of a block are packed by column, once for all keys, and their rows are the
// lanes: two lanes for each row, one for its words of even number and one for those of odd. So keys are read as they
// lie, two words at once for all rows, and never packed. A score is the sum of two chains, words rising in both.
#pragma once
#include "../../simd/simd.h"
#include "../product/register-tiles.h"

namespace latentkit::LATENTKIT_ISA {

constexpr i64 LINE_WORDS = LINE_BYTES / 4;
constexpr i64 SCORE_ROWS = LANES / 2;  // of a vector
constexpr int SCORE_VECTORS = 4;       // of a tile of rows, at most
constexpr i64 SCORE_TILE_ROWS = SCORE_VECTORS * SCORE_ROWS;

// What is fetched from memory while rows are read, line for line: what lies `distance` bytes behind them. 0: nothing.
struct Fetch {
  const char* const* rows = nullptr;
  i64 distance = 0, wordBytes = 4;
  INLINE Fetch from(i64 row) const { return {rows + row, distance, wordBytes}; }
  // The lines beside word w of COUNT rows.
  template <int COUNT> INLINE void lines(i64 w) const {
    if (distance == 0 || w % LINE_WORDS != 0) return;
#pragma GCC unroll 16
    for (int i = 0; i < COUNT; i++) fetchLine(rows[i] + w * wordBytes + distance);
  }
};

// Words of a row, in whole vectors, so that parts of different types can follow each other.
template <class N> INLINE i64 wordsOf(i64 numbers) { return roundUp(ceilDiv(numbers, N::PER_WORD), LANES); }

// Vectors of a tile of so many rows: 1, 2 or 4.
INLINE i64 scoreVectors(i64 rows) { return rows <= SCORE_ROWS ? 1 : rows <= 2 * SCORE_ROWS ? 2 : SCORE_VECTORS; }

// Packs rows of words as tiles of [words / 2, vectors, LANES], one behind the other; lanes of no row are 0.
static void packQueries(float* to, const float* const* rows, i64 count, i64 words) {
  for (i64 first = 0; first < count; first += SCORE_TILE_ROWS) {
    const i64 each = scoreVectors(count - first) * SCORE_ROWS;
    for (i64 i = 0; i < each; i++) {
      float* lanes = to + 2 * i;
      if (first + i < count) {
        const float* row = rows[first + i];
        for (i64 w = 0; w < words; w += 2) copyBytes(lanes + w * each, row + w, 8);
      } else {
        for (i64 w = 0; w < words; w += 2) lanes[w * each] = lanes[w * each + 1] = 0;
      }
    }
    to += words * each;
  }
}

// Scores of SCORE_SUMS / NV keys: [keys][max(NV SCORE_ROWS, LANES)]. What lies `ahead` words behind each key is fetched
// into the first cache meanwhile: it comes next.
template <class N, int NV>
static __attribute__((noinline)) void scoreKeys(float* scores, const float* queries, const float* const* keys, i64 words,
                                                i64 ahead, Fetch fetch) {
  constexpr int KEYS = SCORE_SUMS / NV;
  F sums[KEYS][NV];
  clear(sums);
  for (i64 w = 0; w < words; w += 2, queries += NV * LANES) {
    fetch.lines<KEYS>(w);
    if (w % LINE_WORDS == 0 && ahead) {
#pragma GCC unroll 16
      for (int k = 0; k < KEYS; k++) __builtin_prefetch(keys[k] + w + ahead);
    }
    F qs[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; v++) qs[v] = load(queries + v * LANES);
#pragma GCC unroll 16
    for (int k = 0; k < KEYS; k++) {
      const F key = spreadPair(keys[k] + w);
#pragma GCC unroll 4
      for (int v = 0; v < NV; v++) sums[k][v] = N::multiplyAdd(qs[v], key, sums[k][v]);
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < KEYS; k++) {
    if (NV == 1) store(scores + k * LANES, pairSums(sums[k][0], F{}));
#pragma GCC unroll 4
    for (int v = 0; v + 1 < NV; v += 2) store(scores + (k * NV + v) * SCORE_ROWS, pairSums(sums[k][v], sums[k][v + 1]));
  }
}

// Scores [rows, stride] of `count` keys (whole vectors of them), whose words lie at `keys`, those of two keys `apart`
// from each other, or 0: anywhere. `byKey` has room for TILE keys.
template <class N, int NV, class Each>
static INLINE void scoreTile(float* scores, i64 stride, i64 rows, float* byKey, const float* queries,
                             const float* const* keys, i64 count, i64 apart, i64 words, Fetch fetch, Each each) {
  constexpr int KEYS = SCORE_SUMS / NV;
  constexpr i64 WIDTH = NV == 1 ? LANES : NV * SCORE_ROWS;
  for (i64 k = 0; k < count; k += KEYS) {
    each();
    scoreKeys<N, NV>(byKey + k * WIDTH, queries, keys + k, words, apart * KEYS, fetch.from(k));
  }
  for (i64 first = 0; first < rows; first += LANES) {
    for (i64 k = 0; k < count; k += LANES) {
      F x[LANES];
#pragma GCC unroll 16
      for (int i = 0; i < LANES; i++) x[i] = load(byKey + (k + i) * WIDTH + first);
      transpose(x);
      for (i64 i = 0; i < min<i64>(LANES, rows - first); i++) store(scores + (first + i) * stride + k, x[i]);
    }
  }
}

// Scores [MR, stride] of LANES keys, for so few rows that most lanes above would hold nothing: here lanes are the words of
// even and odd number of LANES / 2 keys, packed for some words at a time. `queries` are those of `packed` rows.
template <class N, int MR>
static __attribute__((noinline)) void scoreLanes(float* scores, i64 stride, const float* queries, i64 packed,
                                                 const float* const* keys, i64 words, Fetch fetch) {
  constexpr int HALF = LANES / 2;
  F sums[MR][2];
  clear(sums);
  for (i64 w = 0; w < words; w += LANES) {
    F x[2][HALF];
#pragma GCC unroll 2
    for (int half = 0; half < 2; half++) {
#pragma GCC unroll 8
      for (int i = 0; i < HALF; i++) x[half][i] = load(keys[half * HALF + i] + w);
      fetch.from(half * HALF).lines<HALF>(w);
      transposePairs(x[half]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < HALF; i++) {
#pragma GCC unroll 4
      for (int r = 0; r < MR; r++) {
        const F q = spreadPair(queries + (w + 2 * i) * packed + 2 * r);
        sums[r][0] = N::multiplyAdd(q, x[0][i], sums[r][0]);
        sums[r][1] = N::multiplyAdd(q, x[1][i], sums[r][1]);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < MR; r++) store(scores + r * stride, pairSums(sums[r][0], sums[r][1]));
}

template <class N, class Each>
static INLINE void scoreRows(float* scores, i64 stride, i64 rows, float* byKey, const float* queries,
                             const float* const* keys, i64 count, i64 apart, i64 words, Fetch fetch, Each each) {
  if (2 * rows <= SCORE_ROWS) {
    for (i64 k = 0; k < count; k += LANES) {
      each();
      withCount<SCORE_ROWS / 2>(rows, [&](auto known) {
        scoreLanes<N, decltype(known)::value>(scores + k, stride, queries, SCORE_ROWS, keys + k, words, fetch.from(k));
      });
    }
    return;
  }
  const i64 vectors = scoreVectors(rows);
  if (vectors == 1) return scoreTile<N, 1>(scores, stride, rows, byKey, queries, keys, count, apart, words, fetch, each);
  if (vectors == 2) return scoreTile<N, 2>(scores, stride, rows, byKey, queries, keys, count, apart, words, fetch, each);
  scoreTile<N, 4>(scores, stride, min(rows, SCORE_TILE_ROWS), byKey, queries, keys, count, apart, words, fetch, each);
}

}  // namespace latentkit::LATENTKIT_ISA
