// Where the sums of a product go.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// Columns of a result that a tile computes.
constexpr i64 TILE_COLUMNS = PANEL_NV * LANES;

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

// Puts sums where they go: `sum(i, v)` are those of row i of MR and the v-th vector of columns.
template <int MR, int NV, class Sum> INLINE void putSums(const Sums& c, i64 width, Sum sum) {
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
      const F biased = c.bias ? sum(i, v) + bias : sum(i, v);
      const F result = c.base ? fma(scale, biased, at(c.base + i * c.baseRow)) : scale * biased;
      if (lanes == LANES) store(to, result);
      else storePart(to, result, lanes);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
