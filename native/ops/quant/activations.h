// Activations in 8 bits: each row once, for all products that use it.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "formats.h"

namespace latentkit::LATENTKIT_ISA {

#if ACTIVATION_BYTES == 1
INLINE void storeActivations(char* step, int v, I codes) { storeI8((int8_t*)step + v * LANES, codes); }
#endif

// A quantised row: codes[cols], then per step of 32 columns: scale f32 d (x is about d times its code), the sum of
// the codes i32, d times that sum f32; then per half step the same two sums. Rows lie apart by an odd number of lines,
// so that rows of one tile do not meet in the same places of the cache.
struct QuantisedLayout {
  // In bytes from the row's beginning. Sums of groups of 32 columns are [0], of 16 [1].
  i64 scales, sums[2], scaledSums[2];
  // Where NEGATIVE_SUMS: per step.
  i64 negatives;
  INLINE explicit QuantisedLayout(i64 cols) {
    const i64 steps = cols / STEP * 4;
    scales = cols * ACTIVATION_BYTES;
    sums[0] = scales + steps;
    scaledSums[0] = sums[0] + steps;
    sums[1] = scaledSums[0] + steps;
    scaledSums[1] = sums[1] + 2 * steps;
    negatives = scaledSums[1] + 2 * steps;
  }
};

INLINE i64 quantisedStride(i64 cols) {
  const i64 lines = ceilDiv(cols * ACTIVATION_BYTES + cols / STEP * (28 + 4 * NEGATIVE_SUMS), 64);
  return (lines | 1) * 64;
}

// What the integer sums of a row's group begin with, where codes lie above what they stand for by `offset`.
template <bool WIDE, int GROUPS>
INLINE int32_t startOf(const char* row, const QuantisedLayout& at, i64 group, int offset) {
  if constexpr (WIDE && NEGATIVE_SUMS) return ((const int32_t*)(row + at.negatives))[group];
  return offset == 0 ? 0 : -offset * ((const int32_t*)(row + at.sums[GROUPS - 1]))[group];
}

// Sums of this many steps are made together, as vectors.
constexpr int STEPS_TOGETHER = 64;

// Nearest of 127 steps to the largest magnitude of each 32 columns. A NaN or an infinity makes d NaN, and with it all
// results of the row.
static void quantiseRow(char* to, const float* x, i64 cols) {
  const QuantisedLayout at(cols);
  const i64 steps = cols / STEP;
  for (i64 first = 0; first < steps; first += STEPS_TOGETHER) {
    const int n = (int)min<i64>(STEPS_TOGETHER, steps - first);
    float* scales = (float*)(to + at.scales) + first;
    // Of half steps: d, and the sum of the codes, exact as a float. A step more than n where n is odd.
    float halfScales[2 * STEPS_TOGETHER], halfSums[2 * STEPS_TOGETHER + 2];
    F before[2] = {};
    for (int s = 0; s < n; s++) {
      const float* from = x + (first + s) * STEP;
      F values[STEP / LANES];
      F largest = {};
#pragma GCC unroll 8
      for (int v = 0; v < STEP / LANES; v++) {
        values[v] = load(from + v * LANES);
        largest = vmaxNan(largest, (F)((I)values[v] & 0x7fffffff));
      }
      const float top = hmaxNan(largest);
      const bool finite = top < INFINITY_F32;
      // A block this small (2^-120) is as good as zero.
      const bool some = finite && top > 0x1p-120f;
      const float d = some ? top / 127.0f : finite ? 0.0f : __builtin_nanf("");
      scales[s] = halfScales[2 * s] = halfScales[2 * s + 1] = d;
      const F inverse = set1(some ? 127.0f / top : 0.0f);
      char* codes = to + (first + s) * STEP * ACTIVATION_BYTES;
      F halves[2] = {};
      [[maybe_unused]] F negatives = {};
#pragma GCC unroll 8
      for (int v = 0; v < STEP / LANES; v++) {
        const I code = nearestIntegers(finite ? values[v] * inverse : F{});
        storeActivations(codes, v, code);
        halves[v * LANES / 16] += floats(code);
        if constexpr (NEGATIVE_SUMS) negatives += floats(code < 0 ? -code : I{});
      }
      if constexpr (NEGATIVE_SUMS) ((int32_t*)(to + at.negatives))[first + s] = (int32_t)sum(negatives);
      if (s % 2) storeSums4(halfSums + 2 * s - 2, before[0], before[1], halves[0], halves[1]);
      before[0] = halves[0];
      before[1] = halves[1];
    }
    if (n % 2) storeSums4(halfSums + 2 * n - 2, before[0], before[1], F{}, F{});
    for (int h = 0; h < 2 * n; h += LANES) {
      const int part = min(LANES, 2 * n - h);
      const F half = load(halfSums + h);
      storePart((float*)(to + at.sums[1]) + 2 * first + h, (F)nearestIntegers(half), part);
      storePart((float*)(to + at.scaledSums[1]) + 2 * first + h, load(halfScales + h) * half, part);
    }
    for (int s = 0; s < n; s += LANES) {
      const int part = min(LANES, n - s);
      const F whole = pairSums(load(halfSums + 2 * s), load(halfSums + 2 * s + LANES));
      storePart((float*)(to + at.sums[0]) + first + s, (F)nearestIntegers(whole), part);
      storePart((float*)(to + at.scaledSums[0]) + first + s, loadPart(scales + s, part) * whole, part);
    }
  }
}

// Phase 0 of a product on packed weights: `rows` rows of x, row r of it at x(r), into the shared memory.
template <class RowAt> INLINE void quantiseRows(Context& context, i64 rows, i64 cols, RowAt x) {
  const i64 stride = quantisedStride(cols);
  context.each(rows, max<i64>(1, 4096 / cols), [&](i64 r) { quantiseRow(context.shared + r * stride, x(r), cols); });
}

}  // namespace latentkit::LATENTKIT_ISA
