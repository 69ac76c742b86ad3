// What every instruction set has in common, on the compiler's vector types: LANES floats. Included by each header of
// this folder inside its own namespace, after LANES is defined and before what the header writes by hand:
//
//   set1, fma                            fma(a, b, c) = a b + c, rounded once where the machine can
//   loadPart, storePart                  the first n lanes, zeros elsewhere; nothing beyond is touched
//   loadF16, loadBf16, loadE4m3          LANES short floats as f32, exact
//   storeF16, storeBf16                  rounded to nearest, ties to even
//   sum, sums4                           lanes added in one fixed tree; sums4 gives the bits of four sums
//
// and the sizes of the register tiles that suit its registers.

typedef float F __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef uint32_t U __attribute__((vector_size(LANES * 4)));
typedef uint16_t H __attribute__((vector_size(LANES * 2)));
typedef uint8_t B __attribute__((vector_size(LANES)));

typedef float UnalignedF __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint16_t UnalignedH __attribute__((vector_size(LANES * 2), aligned(2), may_alias));
typedef uint8_t UnalignedB __attribute__((vector_size(LANES), aligned(1), may_alias));

INLINE F load(const float* from) { return *(const UnalignedF*)from; }
INLINE void store(float* to, F x) { *(UnalignedF*)to = x; }

// The first n elements of a row of short floats, zeros behind them.
template <class T> struct PartOf {
  T elements[LANES];
  INLINE PartOf(const T* from, int n) {
    for (int i = 0; i < LANES; i++) elements[i] = 0;
    for (int i = 0; i < n; i++) elements[i] = from[i];
  }
};

// Short floats as f32 by moving the fields into place; the bias is corrected by an exact product.
INLINE F bf16Lanes(H codes) { return (F)(__builtin_convertvector(codes, U) << 16); }

INLINE F f16Lanes(H codes) {
  const U wide = __builtin_convertvector(codes, U);
  const U magnitude = wide & 0x7fff, sign = (wide & 0x8000) << 16;
  const F scaled = (F)(magnitude << 13) * 0x1p112f;
  return (F)((magnitude >= 0x7c00 ? ((magnitude << 13) | 0x7f800000) : (U)scaled) | sign);
}

INLINE F e4m3Lanes(B codes) {
  const U wide = __builtin_convertvector(codes, U);
  const U magnitude = wide & 0x7f, sign = (wide & 0x80) << 24;
  const F scaled = (F)(magnitude << 20) * 0x1p120f;
  const U nan = (U)(magnitude == 0x7f) & 0x7fc00000;
  return (F)((U)scaled | nan | sign);
}

INLINE H bf16Codes(F x) {
  const U bits = (U)x;
  const U rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return __builtin_convertvector(x == x ? rounded : U{} + 0x7fc0, H);
}

INLINE H f16Codes(F x) {
  const U bits = (U)x & 0x7fffffff, sign = ((U)x >> 16) & 0x8000;
  // Normal results: round the 13 bits that go away, rebias. Subnormal ones: let an addition at the right scale round.
  const U normal = (bits + 0xfff + ((bits >> 13) & 1) - 0x38000000) >> 13;
  const U small = (U)((F)bits + 0.5f) - 0x3f000000;
  U code = bits < 0x38800000 ? small : normal;
  code = bits >= 0x477ff000 ? U{} + 0x7c00 : code;
  code = bits > 0x7f800000 ? U{} + 0x7e00 : code;
  return __builtin_convertvector(code | sign, H);
}

INLINE F largest(F a, F b) { return a > b ? a : b; }

// Largest lane; NaN if there is one.
INLINE float maxOf(F x) {
  float max = x[0];
  for (int i = 1; i < LANES; i++) max = x[i] > max || x[i] != x[i] ? x[i] : max;
  return max;
}

// Lane-wise larger of two, NaN if one is.
INLINE F maxOrNan(F a, F b) { return b > a ? b : b == b ? a : b; }
