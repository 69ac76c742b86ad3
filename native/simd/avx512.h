// 16 lanes: AVX-512 F, BW, DQ, VL (and what comes with them: FMA, F16C).
#pragma once
#include <immintrin.h>

#include "../core/base.h"

#define ISA avx512

namespace latentkit {
namespace avx512 {

constexpr int LANES = 16;
// Register tiles: of 32 registers, MR x NR hold sums.
constexpr int DOT_MR = 4, DOT_NR = 6, DOT_ONE = 8;
constexpr int AXPY_MR = 4, AXPY_NV = 4;

#include "generic.h"

INLINE F set1(float x) { return (F)_mm512_set1_ps(x); }
INLINE F fma(F a, F b, F c) { return (F)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }

INLINE __mmask16 first(int n) { return (__mmask16)((1u << n) - 1); }
INLINE F loadPart(const float* from, int n) { return (F)_mm512_maskz_loadu_ps(first(n), from); }
INLINE void storePart(float* to, F x, int n) { _mm512_mask_storeu_ps(to, first(n), (__m512)x); }

INLINE F loadF16(const uint16_t* from) { return (F)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)from)); }
INLINE F loadBf16(const uint16_t* from) {
  return (F)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16);
}
INLINE F loadE4m3(const uint8_t* from) { return e4m3Lanes(*(const UnalignedB*)from); }

INLINE void storeF16(uint16_t* to, F x) {
  _mm256_storeu_si256((__m256i*)to, _mm512_cvtps_ph((__m512)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
INLINE void storeBf16(uint16_t* to, F x) { *(UnalignedH*)to = bf16Codes(x); }

// Lanes i, i + 8; then i + 4; then i + 2; then the last two.
INLINE __m128 quarters(F x) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1));
  return _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
}
INLINE float sum(F x) {
  const __m128 four = quarters(x);
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
INLINE __m128 sums4(F a, F b, F c, F d) {
  const __m128 qa = quarters(a), qb = quarters(b), qc = quarters(c), qd = quarters(d);
  const __m128 ab = _mm_add_ps(_mm_unpacklo_ps(qa, qb), _mm_unpackhi_ps(qa, qb));
  const __m128 cd = _mm_add_ps(_mm_unpacklo_ps(qc, qd), _mm_unpackhi_ps(qc, qd));
  return _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
}
INLINE void storeSums4(float* to, F a, F b, F c, F d) { _mm_storeu_ps(to, sums4(a, b, c, d)); }

#include "functions.h"

}  // namespace avx512
}  // namespace latentkit
