// 8 lanes: AVX2, FMA, F16C.
#pragma once
#include <immintrin.h>

// By itself, as in an editor, this header is of its own set.
#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA avx2
#define LATENTKIT_LANES 8
#define LATENTKIT_SIMD "avx2.h"
#endif

#include "generic.h"

namespace latentkit::LATENTKIT_ISA {

// Register tiles: of 16 registers, MR x NR hold sums.
constexpr int DOT_MR = 3, DOT_NR = 4, DOT_ONE = 8;
constexpr int AXPY_MR = 3, AXPY_NV = 4, AXPY_ONE = 8;
constexpr int SCORE_SUMS = 8, PANEL_MR = 6, PANEL_NV = 2;

INLINE F set1(float x) { return (F)_mm256_set1_ps(x); }
INLINE F fma(F a, F b, F c) { return (F)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }

INLINE F root(F x) { return (F)_mm256_sqrt_ps((__m256)x); }

INLINE __m256i firstLanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE F loadPart(const float* from, int n) { return (F)_mm256_maskload_ps(from, firstLanes(n)); }
INLINE void storePart(float* to, F x, int n) { _mm256_maskstore_ps(to, firstLanes(n), (__m256)x); }

INLINE F loadF16(const uint16_t* from) { return (F)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)from)); }
INLINE F loadBf16(const uint16_t* from) {
  return (F)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)from)), 16);
}
INLINE F loadE4m3(const uint8_t* from) { return e4m3Floats((U)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from))); }

INLINE void storeF16(uint16_t* to, F x) {
  _mm_storeu_si128((__m128i*)to, _mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE void storeBf16(uint16_t* to, F x) {
  const __m256i codes = _mm256_packus_epi32((__m256i)bf16Codes(x), (__m256i)bf16Codes(x));
  _mm_storeu_si128((__m128i*)to, _mm256_castsi256_si128(_mm256_permute4x64_epi64(codes, 0x08)));
}

// Lanes i, i + 4; then i + 2; then the last two.
INLINE __m128 halves(F x) {
  return _mm_add_ps(_mm256_castps256_ps128((__m256)x), _mm256_extractf128_ps((__m256)x, 1));
}
INLINE float sum(F x) {
  const __m128 four = halves(x);
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
INLINE void storeSums4(float* to, F a, F b, F c, F d) {
  const __m128 qa = halves(a), qb = halves(b), qc = halves(c), qd = halves(d);
  const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(qa, qb), _mm_unpackhi_ps(qa, qb));
  const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(qc, qd), _mm_unpackhi_ps(qc, qd));
  _mm_storeu_ps(to, _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab)));
}

INLINE I loadI8(const u8* from) { return (I)_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i*)from)); }
INLINE U loadU8(const u8* from) { return (U)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from)); }
INLINE void storeI8(int8_t* to, I x) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
  _mm_storel_epi64((__m128i*)to, _mm_packs_epi16(words, words));
}

INLINE Bytes lookup(const u8* table, Bytes codes) {
  const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i*)table));
  return (Bytes)_mm256_shuffle_epi8(entries, (__m256i)codes);
}

constexpr int PACKED_MR = 4, PACKED_NP = 1, PACKED_ONE = 2;
constexpr int WIDE_OFFSET = 0;
typedef __m256i Four;
typedef I Dots;
template <bool> INLINE Four spread(const int8_t* step, int j) {
  const int8_t* x = step + 4 * j;
  return _mm256_set1_epi32(bitsAs<int32_t>(*(const FourBytes*)x));
}
INLINE Dots dots(int32_t start) { return (I)_mm256_set1_epi32(start); }
// Sums of two products stay below 2^15: 2 x 63 x 127, and 2 x 128 x 127 where the sign moves to the activation.
template <bool WIDE> INLINE Dots dot4(Dots sum, Bytes w, Four x) {
  __m256i pairs;
  if constexpr (WIDE) {
    const __m256i code = _mm256_xor_si256((__m256i)w, _mm256_set1_epi8(-128));
    pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(code), _mm256_sign_epi8(x, code));
  } else {
    pairs = _mm256_maddubs_epi16((__m256i)w, x);
  }
  return (I)_mm256_add_epi32((__m256i)sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
INLINE I dotTotals(Dots sum) { return sum; }

INLINE F vmax(F a, F b) { return (F)_mm256_max_ps((__m256)b, (__m256)a); }
INLINE F vmin(F a, F b) { return (F)_mm256_min_ps((__m256)b, (__m256)a); }
INLINE float hmax(F x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128((__m256)x), _mm256_extractf128_ps((__m256)x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

INLINE float hmaxNan(F x) { return _mm256_movemask_ps((__m256)(x != x)) ? __builtin_nanf("") : hmax(x); }

INLINE uint32_t signBits(I x) { return (uint32_t)_mm256_movemask_ps((__m256)x); }

INLINE F spreadPair(const float* two) { return (F)_mm256_set1_epi64x(bitsAs<i64>(*(const EightBytes*)two)); }
INLINE F pairSums(F a, F b) {
  return (F)_mm256_permute4x64_pd((__m256d)_mm256_hadd_ps((__m256)a, (__m256)b), 0xd8);
}

INLINE void transpose(F (&x)[LANES]) {
  __m256 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps((__m256)x[i], (__m256)x[i + 1]);
    a[i + 1] = _mm256_unpackhi_ps((__m256)x[i], (__m256)x[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    x[i] = (F)_mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
    x[i + 4] = (F)_mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
  }
}

INLINE void transposePairs(F (&x)[LANES / 2]) {
  const __m256d a = _mm256_unpacklo_pd((__m256d)x[0], (__m256d)x[1]), b = _mm256_unpackhi_pd((__m256d)x[0], (__m256d)x[1]);
  const __m256d c = _mm256_unpacklo_pd((__m256d)x[2], (__m256d)x[3]), d = _mm256_unpackhi_pd((__m256d)x[2], (__m256d)x[3]);
  x[0] = (F)_mm256_permute2f128_pd(a, c, 0x20);
  x[1] = (F)_mm256_permute2f128_pd(b, d, 0x20);
  x[2] = (F)_mm256_permute2f128_pd(a, c, 0x31);
  x[3] = (F)_mm256_permute2f128_pd(b, d, 0x31);
}

}  // namespace latentkit::LATENTKIT_ISA
