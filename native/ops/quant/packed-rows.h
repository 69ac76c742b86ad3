// Where results of products with packed tiles go: some weight rows of a matrix, which need not begin with a tile.
#pragma once
#include "../../simd/simd.h"
#include "../product/epilogue.h"
#include "../product/token-rows.h"

namespace latentkit::LATENTKIT_ISA {

// Weight rows first .. last of the matrix; the result of row n is y(t)[n - first].
struct PackedRange {
  i64 first, last;
};

INLINE void putPacked(const TokenRows& y, i64 t, F x, i64 row, const PackedRange& range, const Epilogue& epilogue) {
  const i64 n = row - range.first;
  float* to = y.at(t);
  if (row >= range.first && row + LANES <= range.last && epilogue.none()) return store(to + n, x);
  for (int l = 0; l < LANES; l++) {
    if (row + l >= range.first && row + l < range.last) to[n + l] = epilogue(x[l], t, n + l);
  }
}

template <int MR, int NP>
INLINE void putTile(const TokenRows& y, i64 t, F (&out)[MR][NP], i64 row, const PackedRange& range, const Epilogue& epilogue) {
  for (int i = 0; i < MR; i++) {
    for (int p = 0; p < NP; p++) putPacked(y, t + i, out[i][p], row + p * LANES, range, epilogue);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
