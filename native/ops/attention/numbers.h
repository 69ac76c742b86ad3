// In which numbers attention multiplies. A word is 32 bits: one f32, or, where the machine adds products of bf16 in
// pairs to an f32 sum, two bf16. Along a row a word holds neighbouring columns, across rows neighbouring keys.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct AsF32 {
  static constexpr int PER_WORD = 1;
  static INLINE F multiplyAdd(F x, F w, F sum) { return fma(x, w, sum); }
  // LANES words of a row, from n numbers and zeros behind them.
  template <class Row> static INLINE F along(const typename Row::Type* row, i64 n) {
    return n >= LANES ? Row::at(row) : Row::part(row, (int)n);
  }
  // LANES words, each of one column, of the rows of PER_WORD keys from column c on.
  template <class Row> static INLINE F across(const char* const* keys, i64 c, i64 n) {
    return along<Row>((const typename Row::Type*)keys[0] + c, n);
  }
  // n exponentials become words in place; their sum as multiplied, lane by lane.
  static INLINE F weights(float* p, i64 n) {
    F sums = {};
    for (i64 k = 0; k < n; k += LANES) sums += load(p + k);
    return sums;
  }
};

#ifdef LATENTKIT_BF16_PAIRS
// Keys, values, queries and exponentials are rounded to 8 bits of precision, which bf16 caches have anyway.
struct AsBf16 {
  static constexpr int PER_WORD = 2;
  static INLINE F multiplyAdd(F x, F w, F sum) { return addPairs(x, w, sum); }
  template <class Row> static INLINE F along(const typename Row::Type* row, i64 n) {
    if (n < 2 * LANES) {
      const F lo = n >= LANES ? Row::at(row) : Row::part(row, (int)n);
      return pairs(lo, n > LANES ? Row::part(row + LANES, (int)(n - LANES)) : F{});
    }
    if constexpr (Row::IS_BF16) return load((const float*)row);
    else return pairs(Row::at(row), Row::at(row + LANES));
  }
  template <class Row> static INLINE F across(const char* const* keys, i64 c, i64 n) {
    const auto* a = (const typename Row::Type*)keys[0] + c;
    const auto* b = (const typename Row::Type*)keys[1] + c;
    if (n < LANES) return interleaved(pairs(Row::part(a, (int)n), Row::part(b, (int)n)));
    if constexpr (Row::IS_BF16) return interleaved(bothHalves(a, b));
    else return interleaved(pairs(Row::at(a), Row::at(b)));
  }
  static INLINE F weights(float* p, i64 n) {
    F sums = {};
    for (i64 k = 0; k < n; k += 2 * LANES) {
      const F both = pairs(load(p + k), load(p + k + LANES));
      store(p + k / 2, both);
      sums += (F)((U)both << 16) + (F)((U)both & 0xffff0000);
    }
    return sums;
  }
};
#endif

}  // namespace latentkit::LATENTKIT_ISA
