// rope.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"
#include "../rows/vectors.h"

namespace latentkit::LATENTKIT_ISA {

// Pairs that lie r apart: both halves are vectors.
INLINE void rotateHalves(float* to, const float* from, const float* cosines, const float* sines, i64 r) {
  eachVector(r, [&](i64 i, int lanes) {
    const F a = loadLanes(from + i, lanes), b = loadLanes(from + r + i, lanes);
    const F cosine = loadLanes(cosines + i, lanes), sine = loadLanes(sines + i, lanes);
    storeLanes(to + i, a * cosine - b * sine, lanes);
    storeLanes(to + r + i, a * sine + b * cosine, lanes);
  });
}

// Two numbers as one of 64 bits.
typedef uint64_t Couples __attribute__((vector_size(4 * LANES)));
typedef uint32_t HalfVector __attribute__((vector_size(2 * LANES), aligned(4), may_alias));

INLINE F swapped(F x) { return (F)((Couples)x << 32 | (Couples)x >> 32); }
// LANES / 2 numbers, each twice.
INLINE Couples doubled(const float* from) {
  const Couples each = __builtin_convertvector(*(const HalfVector*)from, Couples);
  return each << 32 | each;
}

// Pairs that lie side by side: (a, b) cos + (b, a) (-sin, sin).
INLINE void rotateNeighbours(float* to, const float* from, const float* cosines, const float* sines, i64 r) {
  const uint64_t firstNegative = 0x80000000;
  i64 i = 0;
  for (; i + LANES / 2 <= r; i += LANES / 2) {
    const F x = load(from + 2 * i);
    store(to + 2 * i, x * (F)doubled(cosines + i) + swapped(x) * (F)(doubled(sines + i) ^ firstNegative));
  }
  for (; i < r; i++) {
    const float a = from[2 * i], b = from[2 * i + 1];
    to[2 * i] = a * cosines[i] - b * sines[i];
    to[2 * i + 1] = a * sines[i] + b * cosines[i];
  }
}

static void rope(Context& context, const RopeRecord& record) {
  const i64 heads = record.H, n = record.n, r = record.r;
  context.each(record.T * heads, rowGrain(n), [&](i64 row) {
    const i64 t = row / heads, h = row % heads;
    const float* from = record.x + t * record.xT + h * record.xH;
    float* to = record.y + t * record.yT + h * record.yH;
    const float* cosines = record.cosSin + t * 2 * r;
    const float* sines = cosines + r;
    if (record.interleaved) rotateNeighbours(to, from, cosines, sines, r);
    else rotateHalves(to, from, cosines, sines, r);
    if (to != from) {
      for (i64 i = 2 * r; i < n; i++) to[i] = from[i];
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
