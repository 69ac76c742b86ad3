// Rows of numbers of one type as another.
#pragma once
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "row-types.h"

namespace latentkit::LATENTKIT_ISA {

static INLINE double elementOf(const char* row, Dtype dtype, i64 i) {
  switch (dtype) {
    case F32: return ((const float*)row)[i];
    case F16: return f16ToFloat(((const uint16_t*)row)[i]);
    case BF16: return bf16ToFloat(((const uint16_t*)row)[i]);
    case E4M3: return e4m3ToFloat(((const uint8_t*)row)[i]);
    case I32: return ((const int32_t*)row)[i];
    case U8: return ((const uint8_t*)row)[i];
    case F64: return ((const double*)row)[i];
    LATENTKIT_PACKED_CASES:
    LATENTKIT_SCALED_CASES: impossible();
  }
  impossible();
}

static INLINE void setElement(char* row, Dtype dtype, i64 i, double value) {
  switch (dtype) {
    case F32: ((float*)row)[i] = (float)value; return;
    case F16: ((uint16_t*)row)[i] = floatToF16(value); return;
    case BF16: ((uint16_t*)row)[i] = floatToBf16(value); return;
    case E4M3: ((uint8_t*)row)[i] = floatToE4m3(value); return;
    case I32: ((int32_t*)row)[i] = (int32_t)(i64)value; return;
    case U8: ((uint8_t*)row)[i] = (uint8_t)(i64)value; return;
    case F64: ((double*)row)[i] = value; return;
    LATENTKIT_PACKED_CASES:
    LATENTKIT_SCALED_CASES: impossible();
  }
}

// n floats into a row of the three types a cache may have.
static INLINE void floatsToRow(char* to, Dtype dtype, const float* from, i64 n) {
  if (dtype == F32) {
    copyBytes(to, from, (size_t)n * 4);
    return;
  }
  uint16_t* codes = (uint16_t*)to;
  i64 i = 0;
  if (dtype == F16) {
    for (; i + LANES <= n; i += LANES) storeF16(codes + i, load(from + i));
    for (; i < n; i++) codes[i] = floatToF16(from[i]);
  } else {
    for (; i + LANES <= n; i += LANES) storeBf16(codes + i, load(from + i));
    for (; i < n; i++) codes[i] = floatToBf16(from[i]);
  }
}

static INLINE void convertRow(char* to, Dtype toType, const char* from, Dtype fromType, i64 n) {
  if (toType == fromType) {
    copyBytes(to, from, (size_t)n * elementBytes(toType));
  } else if (fromType == F32 && (toType == F16 || toType == BF16)) {
    floatsToRow(to, toType, (const float*)from, n);
  } else if (toType == F32 && (fromType == F16 || fromType == BF16 || fromType == E4M3)) {
    withRowType(fromType, [&](auto row) {
      rowToFloats<decltype(row)>((float*)to, (const typename decltype(row)::Type*)from, n, 1);
    });
  } else {
    for (i64 i = 0; i < n; i++) setElement(to, toType, i, elementOf(from, fromType, i));
  }
}

}  // namespace latentkit::LATENTKIT_ISA
