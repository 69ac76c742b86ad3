// 16 lanes: AVX-512 F, BW, DQ, VL, VNNI (and what comes with them: FMA, F16C).
#pragma once
#include <immintrin.h>

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA avx512
#define LATENTKIT_LANES 16
#define LATENTKIT_SIMD "avx512.h"
#endif

#include "generic.h"

namespace latentkit::LATENTKIT_ISA {

// Register tiles: of 32 registers, MR x NR hold sums.
constexpr int DOT_MR = 4, DOT_NR = 6, DOT_ONE = 8;
constexpr int AXPY_MR = 4, AXPY_NV = 4, AXPY_ONE = 16;
constexpr int SCORE_SUMS = 16, PANEL_MR = 8, PANEL_NV = 2;

INLINE F set1(float x) { return (F)_mm512_set1_ps(x); }
INLINE F fma(F a, F b, F c) { return (F)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }

INLINE F root(F x) { return (F)_mm512_sqrt_ps((__m512)x); }

INLINE __mmask16 firstLanes(int n) { return (__mmask16)((1u << n) - 1); }
INLINE F loadPart(const float* from, int n) { return (F)_mm512_maskz_loadu_ps(firstLanes(n), from); }
INLINE void storePart(float* to, F x, int n) { _mm512_mask_storeu_ps(to, firstLanes(n), (__m512)x); }

INLINE F loadF16(const uint16_t* from) { return (F)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)from)); }
INLINE F loadBf16(const uint16_t* from) {
  return (F)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16);
}
INLINE F loadE4m3(const uint8_t* from) { return e4m3Floats((U)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)from))); }

INLINE void storeF16(uint16_t* to, F x) {
  _mm256_storeu_si256((__m256i*)to, _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE void storeBf16(uint16_t* to, F x) {
  _mm256_storeu_si256((__m256i*)to, _mm512_cvtepi32_epi16((__m512i)bf16Codes(x)));
}

// Lanes i, i + 8; then i + 4; then i + 2; then the last two.
INLINE float sum(F x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
// The same tree for four vectors side by side: each ends in a quarter of its own.
INLINE __m512 foldPair(F a, F b) {
  const __m512 lo = _mm512_shuffle_f32x4((__m512)a, (__m512)b, 0x44);
  return _mm512_add_ps(lo, _mm512_shuffle_f32x4((__m512)a, (__m512)b, 0xee));
}
INLINE void storeSums4(float* to, F a, F b, F c, F d) {
  const __m512 ab = foldPair(a, b), cd = foldPair(c, d);
  const __m512 four = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  const __m512 two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x4e));
  const __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
  const __m512i quarters = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_permutexvar_ps(quarters, one)));
}

INLINE I loadI8(const u8* from) { return (I)_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i*)from)); }
INLINE U loadU8(const u8* from) { return (U)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)from)); }
INLINE void storeI8(int8_t* to, I x) { _mm_storeu_si128((__m128i*)to, _mm512_cvtepi32_epi8((__m512i)x)); }

INLINE Bytes lookup(const u8* table, Bytes codes) {
  const __m512i entries = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i*)table));
  return (Bytes)_mm512_shuffle_epi8(entries, (__m512i)codes);
}

// Tokens of a tile of an integer product with the parts of 16 rows taken at once, and parts taken with one token.
constexpr int PACKED_MR = 8, PACKED_NP = 1, PACKED_ONE = 1;
constexpr int WIDE_OFFSET = 128;
typedef __m512i Four;
typedef I Dots;
template <bool> INLINE Four spread(const int8_t* step, int j) {
  const int8_t* x = step + 4 * j;
  return _mm512_set1_epi32(bitsAs<int32_t>(*(const FourBytes*)x));
}
INLINE Dots dots(int32_t start) { return (I)_mm512_set1_epi32(start); }
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  return (I)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, x);
}
INLINE I dotTotals(Dots sum) { return sum; }

INLINE F vmax(F a, F b) { return (F)_mm512_max_ps((__m512)b, (__m512)a); }
INLINE F vmin(F a, F b) { return (F)_mm512_min_ps((__m512)b, (__m512)a); }
INLINE float hmax(F x) { return _mm512_reduce_max_ps((__m512)x); }
INLINE float hmaxNan(F x) {
  return _mm512_cmp_ps_mask((__m512)x, (__m512)x, _CMP_UNORD_Q) ? __builtin_nanf("") : hmax(x);
}

INLINE uint32_t signBits(I x) { return _mm512_movepi32_mask((__m512i)x); }

INLINE F spreadPair(const float* two) { return (F)_mm512_set1_epi64(bitsAs<i64>(*(const EightBytes*)two)); }
INLINE F pairSums(F a, F b) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
  return (F)_mm512_add_ps(_mm512_permutex2var_ps((__m512)a, even, (__m512)b), _mm512_permutex2var_ps((__m512)a, odd, (__m512)b));
}

INLINE void transpose(F (&x)[LANES]) {
  __m512 a[16], b[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps((__m512)x[i], (__m512)x[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps((__m512)x[i], (__m512)x[i + 1]);
  }
  // b[i + j]: lane j of every quarter, of rows i .. i + 3.
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    const __m512 even = _mm512_shuffle_f32x4(b[j], b[j + 4], 0x88), odd = _mm512_shuffle_f32x4(b[j], b[j + 4], 0xdd);
    const __m512 even8 = _mm512_shuffle_f32x4(b[j + 8], b[j + 12], 0x88);
    const __m512 odd8 = _mm512_shuffle_f32x4(b[j + 8], b[j + 12], 0xdd);
    x[j] = (F)_mm512_shuffle_f32x4(even, even8, 0x88);
    x[j + 8] = (F)_mm512_shuffle_f32x4(even, even8, 0xdd);
    x[j + 4] = (F)_mm512_shuffle_f32x4(odd, odd8, 0x88);
    x[j + 12] = (F)_mm512_shuffle_f32x4(odd, odd8, 0xdd);
  }
}

INLINE void transposePairs(F (&x)[LANES / 2]) {
  __m512d a[8], b[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm512_unpacklo_pd((__m512d)x[i], (__m512d)x[i + 1]);
    a[i + 1] = _mm512_unpackhi_pd((__m512d)x[i], (__m512d)x[i + 1]);
  }
  // b[i + j]: pair j of both halves, of rows i .. i + 3.
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
      b[i + j] = _mm512_shuffle_f64x2(a[i + j], a[i + 2 + j], 0x88);
      b[i + 2 + j] = _mm512_shuffle_f64x2(a[i + j], a[i + 2 + j], 0xdd);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; j++) {
    x[j] = (F)_mm512_shuffle_f64x2(b[j], b[j + 4], 0x88);
    x[j + 4] = (F)_mm512_shuffle_f64x2(b[j], b[j + 4], 0xdd);
  }
}

#ifdef __AVX512BF16__
#define LATENTKIT_BF16_PAIRS
// Pairs of bf16: the low halves of the words from `lo`, then those from `hi`, as they follow each other in memory.
INLINE F pairs(F lo, F hi) { return (F)_mm512_cvtne2ps_pbh((__m512)hi, (__m512)lo); }
// sum + the products of both numbers of each word.
INLINE F addPairs(F x, F w, F sum) { return (F)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w); }
// LANES numbers of each of two rows, one row behind the other; and as words of both rows' columns.
INLINE F bothHalves(const uint16_t* a, const uint16_t* b) {
  const __m512i low = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i*)a));
  return (F)_mm512_inserti64x4(low, _mm256_loadu_si256((const __m256i*)b), 1);
}
INLINE F interleaved(F halves) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return (F)_mm512_permutexvar_epi16(order, (__m512i)halves);
}
#endif

}  // namespace latentkit::LATENTKIT_ISA
