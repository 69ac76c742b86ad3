// The weighted sum of values: rows of words, the exponentials, times a panel, which holds some columns of the values of
// all keys of a span, key by key.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

constexpr i64 PANEL_COLUMNS = PANEL_NV * LANES;

// y[i][0 .. NV * LANES] (+)= sum over n words of x[i][k] times words(k, v), a vector. One chain per number, k rising.
template <class N, int MR, int NV, class Words>
static INLINE void wordTile(float* const* y, const float* const* x, i64 n, bool add, Words words) {
  F sums[MR][NV];
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) sums[i][v] = add ? load(y[i] + v * LANES) : F{};
  }
  for (i64 k = 0; k < n; k++) {
    F ws[NV];
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) ws[v] = words(k, v);
#pragma GCC unroll 16
    for (int i = 0; i < MR; i++) {
      const F xs = set1(x[i][k]);
#pragma GCC unroll 8
      for (int v = 0; v < NV; v++) sums[i][v] = N::multiplyAdd(xs, ws[v], sums[i][v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; i++) {
#pragma GCC unroll 8
    for (int v = 0; v < NV; v++) store(y[i] + v * LANES, sums[i][v]);
  }
}

// The same with the words of a panel.
template <class N, int MR, int NV>
static __attribute__((noinline)) void panelTile(float* const* y, const float* const* x, const float* panel, i64 n,
                                                bool add) {
  wordTile<N, MR, NV>(y, x, n, add, [&](i64 k, int v) { return load(panel + k * PANEL_COLUMNS + v * LANES); });
}

template <class N, int MR>
INLINE void multiplyPanel(float* const* y, const float* const* x, const float* panel, i64 n, i64 width, bool add) {
  if (width == PANEL_COLUMNS) return panelTile<N, MR, PANEL_NV>(y, x, panel, n, add);
  float* at[MR];
  for (i64 c = 0; c < width; c += LANES) {
    for (int i = 0; i < MR; i++) at[i] = y[i] + c;
    panelTile<N, MR, 1>(at, x, panel + c, n, add);
  }
}

// So much of a panel stays in the first cache while all rows pass.
constexpr i64 PANEL_WORDS = 4096 / PANEL_COLUMNS;

// `rows` rows of y at the first `width` (a multiple of LANES) columns of a panel of n words. Calls `each` now and then.
template <class N, class YRow, class XRow, class Each>
INLINE void panelProduct(YRow yRow, XRow xRow, i64 rows, const float* panel, i64 n, i64 width, Each each) {
  for (i64 first = 0; first < n; first += PANEL_WORDS, panel += PANEL_WORDS * PANEL_COLUMNS) {
    const i64 words = min(PANEL_WORDS, n - first);
    for (i64 r = 0; r < rows;) {
      r += withCount<PANEL_MR>(rows - r, [&](auto count) {
        constexpr int MR = decltype(count)::value;
        float* ys[MR];
        const float* xs[MR];
        for (int i = 0; i < MR; i++) {
          ys[i] = yRow(r + i);
          xs[i] = xRow(r + i) + first;
        }
        each();
        multiplyPanel<N, MR>(ys, xs, panel, words, width, first > 0);
      });
    }
  }
}

// Packs the values of n words' keys, of `width` numbers each, as panels of `stride` words.
template <class N, class Row>
static __attribute__((noinline)) void packValues(float* panels, i64 stride, const char* const* keys, i64 n, i64 width) {
  for (i64 k = 0; k < n; k++, panels += PANEL_COLUMNS) {
    for (i64 c = 0; c < width; c += LANES) {
      store(panels + c / PANEL_COLUMNS * stride * PANEL_COLUMNS + c % PANEL_COLUMNS,
            N::template across<Row>(keys + k * N::PER_WORD, c, width - c));
    }
  }
}

// Whether the values in a panel are all finite: then 0 times one is 0.
template <class N> static bool allFinite(const float* panel, i64 n, i64 columns) {
  constexpr uint32_t HIGH = 0x7f800000, LOW = N::PER_WORD == 2 ? 0x7f80 : 0;
  U found = {};
  for (i64 k = 0; k < n; k++) {
    for (i64 c = 0; c < columns; c += LANES) {
      const U word = (U)load(panel + k * PANEL_COLUMNS + c);
      found |= (U)((word & HIGH) == HIGH);
      if (LOW) found |= (U)((word & LOW) == LOW);
    }
  }
  return signBits((I)found) == 0;
}

}  // namespace latentkit::LATENTKIT_ISA
