// How rows of each stored type are loaded as f32.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct RowF32 {
  typedef float Type;
  static constexpr bool IS_BF16 = false;
  static INLINE F at(const float* p) { return load(p); }
  static INLINE F part(const float* p, int n) { return loadPart(p, n); }
};
struct RowF16 {
  typedef uint16_t Type;
  static constexpr bool IS_BF16 = false;
  static INLINE F at(const uint16_t* p) { return loadF16(p); }
  static INLINE F part(const uint16_t* p, int n) { return loadF16(PartOf<uint16_t>(p, n).elements); }
};
struct RowBf16 {
  typedef uint16_t Type;
  static constexpr bool IS_BF16 = true;
  static INLINE F at(const uint16_t* p) { return loadBf16(p); }
  static INLINE F part(const uint16_t* p, int n) { return loadBf16(PartOf<uint16_t>(p, n).elements); }
};
struct RowE4m3 {
  typedef uint8_t Type;
  static INLINE F at(const uint8_t* p) { return loadE4m3(p); }
  static INLINE F part(const uint8_t* p, int n) { return loadE4m3(PartOf<uint8_t>(p, n).elements); }
};

// Calls `call` with the row type of a dtype.
template <class Call> INLINE void withRowType(Dtype dtype, Call call) {
  switch (dtype) {
    case F16: return call(RowF16{});
    case BF16: return call(RowBf16{});
    case E4M3: return call(RowE4m3{});
    case F32: return call(RowF32{});
    case I32:
    case U8:
    case F64:
    LATENTKIT_PACKED_CASES:
    LATENTKIT_SCALED_CASES: impossible();
  }
}

// The same for the types that a cache may have.
template <class Call> INLINE void withCacheType(Dtype dtype, Call call) {
  switch (dtype) {
    case F16: return call(RowF16{});
    case BF16: return call(RowBf16{});
    case F32: return call(RowF32{});
    case E4M3:
    case I32:
    case U8:
    case F64:
    LATENTKIT_PACKED_CASES:
    LATENTKIT_SCALED_CASES: impossible();
  }
}

// to[i] = factor * row[i], as f32.
template <class Row> INLINE void rowToFloats(float* to, const typename Row::Type* from, i64 n, float factor) {
  const F by = set1(factor);
  i64 i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, Row::at(from + i) * by);
  if (i < n) storePart(to + i, Row::part(from + i, (int)(n - i)) * by, (int)(n - i));
}

}  // namespace latentkit::LATENTKIT_ISA
