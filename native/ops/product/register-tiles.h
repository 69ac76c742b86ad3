// The two products everything is made of, on register tiles. In both, a number of the result is summed in an order
// that depends on the length alone, never on the tile it is computed in.
//
//   dot:  sum over k of x[k] w[k]: lane k mod LANES, k rising, lanes added at the end in a fixed tree
//   axpy: y[c] += sum over n of x[n] w[n][c]: one chain per c, n rising
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// sums[i][j] += x[i] . w[j], lane by lane. What lies `ahead` elements behind each w is fetched meanwhile: it comes next.
// Into the second-level cache: fetches into the first keep its few places for misses until memory has answered.
template <class Row, int MR, int NR>
INLINE void dotTile(F (&sums)[MR][NR], const float* const* x, const typename Row::Type* const* w, i64 n, i64 ahead) {
  i64 k = 0;
  for (; k + LANES <= n; k += LANES) {
    F xs[MR];
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) xs[i] = load(x[i] + k);
#pragma GCC unroll 8
    for (int j = 0; j < NR; j++) {
      const F ws = Row::at(w[j] + k);
      if (ahead) fetchLine(w[j] + k + ahead);
#pragma GCC unroll 8
      for (int i = 0; i < MR; i++) sums[i][j] = fma(xs[i], ws, sums[i][j]);
    }
  }
  if (k == n) return;
  const int rest = (int)(n - k);
  F xs[MR];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) xs[i] = loadPart(x[i] + k, rest);
#pragma GCC unroll 8
  for (int j = 0; j < NR; j++) {
    const F ws = Row::part(w[j] + k, rest);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) sums[i][j] = fma(xs[i], ws, sums[i][j]);
  }
}

template <int MR, int NR> INLINE void clear(F (&sums)[MR][NR]) {
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 8
    for (int j = 0; j < NR; j++) sums[i][j] = F{};
  }
}

// out[j] = the sum of the lanes of sums[j].
template <int NR> INLINE void laneSums(float* out, F (&sums)[NR]) {
  int j = 0;
#pragma GCC unroll 8
  for (; j + 4 <= NR; j += 4) storeSums4(out + j, sums[j], sums[j + 1], sums[j + 2], sums[j + 3]);
#pragma GCC unroll 8
  for (; j < NR; j++) out[j] = sum(sums[j]);
}

// y[i][0 .. NV * LANES] += sum over n of x[i][n] w[n][..]; starts from what y holds if `add`, else from 0.
template <class Row, int MR, int NV>
INLINE void axpyTile(float* const* y, const float* const* x, const typename Row::Type* w, i64 stride, i64 n, bool add) {
  F sums[MR][NV];
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) sums[i][v] = add ? load(y[i] + v * LANES) : F{};
  }
  for (i64 k = 0; k < n; k++) {
    F xs[MR];
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++) xs[i] = set1(x[i][k]);
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) {
      const F ws = Row::at(w + k * stride + v * LANES);
#pragma GCC unroll 8
      for (int i = 0; i < MR; i++) sums[i][v] = fma(xs[i], ws, sums[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 16
    for (int v = 0; v < NV; v++) store(y[i] + v * LANES, sums[i][v]);
  }
}

// The same for the last `rest` < LANES columns.
template <class Row>
INLINE void axpyRest(float* y, const float* x, const typename Row::Type* w, i64 stride, i64 n, int rest, bool add) {
  F sums = add ? loadPart(y, rest) : F{};
  for (i64 k = 0; k < n; k++) sums = fma(set1(x[k]), Row::part(w + k * stride, rest), sums);
  storePart(y, sums, rest);
}

// y[i][0 .. width] += sum over n of x[i][n] w[n][..] for MR rows.
template <class Row, int MR>
INLINE void axpyRows(float* const* y, const float* const* x, const typename Row::Type* w, i64 stride, i64 n, i64 width,
                     bool add) {
  i64 c = 0;
  float* at[MR];
  if constexpr (MR == 1) {
    for (; c + AXPY_ONE * LANES <= width; c += AXPY_ONE * LANES) {
      at[0] = y[0] + c;
      axpyTile<Row, 1, AXPY_ONE>(at, x, w + c, stride, n, add);
    }
  }
  for (; c + AXPY_NV * LANES <= width; c += AXPY_NV * LANES) {
    for (int i = 0; i < MR; i++) at[i] = y[i] + c;
    axpyTile<Row, MR, AXPY_NV>(at, x, w + c, stride, n, add);
  }
  for (; c + LANES <= width; c += LANES) {
    for (int i = 0; i < MR; i++) at[i] = y[i] + c;
    axpyTile<Row, MR, 1>(at, x, w + c, stride, n, add);
  }
  if (c < width) {
    for (int i = 0; i < MR; i++) axpyRest<Row>(y[i] + c, x[i], w + c, stride, n, (int)(width - c), add);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
