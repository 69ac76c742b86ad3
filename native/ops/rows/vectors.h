// Rows as vectors.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

// Calls `each(i, lanes)` for the vectors of n numbers: whole ones, then the lanes of the last.
template <class Each> INLINE void eachVector(i64 n, Each each) {
  i64 i = 0;
  for (; i + LANES <= n; i += LANES) each(i, LANES);
  if (i < n) each(i, (int)(n - i));
}

INLINE F loadLanes(const float* from, int lanes) { return lanes == LANES ? load(from) : loadPart(from, lanes); }
INLINE void storeLanes(float* to, F x, int lanes) {
  if (lanes == LANES) store(to, x);
  else storePart(to, x, lanes);
}

// The first lanes of a vector, zeros elsewhere.
INLINE F onlyLanes(F x, int lanes) {
  for (int l = lanes; l < LANES; l++) x[l] = 0;
  return x;
}

}  // namespace latentkit::LATENTKIT_ISA
