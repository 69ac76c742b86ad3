// Cached vectors of codes of a byte each: padded to a multiple of 4, behind them f32 scales. INT8: -127 .. 127 and
// one scale; FP8: e4m3 and a scale per 128 codes.
#pragma once
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/row-types.h"

namespace latentkit::LATENTKIT_ISA {

INLINE i64 scaleEvery(Dtype dtype, i64 width) { return dtype == FP8 ? min<i64>(width, 128) : width; }
INLINE i64 scalesAt(i64 width) { return roundUp(width, 4); }
INLINE i64 vectorBytes(Dtype dtype, i64 width) {
  if (!isScaled(dtype)) return width * elementBytes(dtype);
  return scalesAt(width) + ceilDiv(width, scaleEvery(dtype, width)) * 4;
}

// Largest magnitude; NaN if there is one.
static INLINE float largestMagnitude(const float* x, i64 n) {
  F found = {};
  for (i64 i = 0; i < n; i += LANES) {
    const F part = loadPart(x + i, (int)min<i64>(LANES, n - i));
    found = vmaxNan(found, (F)((I)part & 0x7fffffff));
  }
  return hmaxNan(found);
}

static INLINE void int8Codes(u8* to, const float* x, i64 n, float scale) {
  i64 i = 0;
  for (; i + LANES <= n; i += LANES) storeI8((int8_t*)to + i, nearestIntegers(load(x + i) / scale));
  for (; i < n; i++) to[i] = (u8)(int8_t)nearest(x[i] / scale);
}

static void floatsToScaled(char* to, Dtype dtype, const float* x, i64 width) {
  const i64 shared = scaleEvery(dtype, width);
  float* scales = (float*)(to + scalesAt(width));
  for (i64 first = 0; first < width; first += shared) {
    const i64 n = min(shared, width - first);
    const float largest = largestMagnitude(x + first, n);
    // Neither NaN nor infinity is below it.
    const float scale = largest < INFINITY_F32 ? largest / (dtype == INT8 ? 127.0f : 448.0f) : __builtin_nanf("");
    *scales++ = scale;
    u8* codes = (u8*)to + first;
    if (!(scale > 0)) {
      for (i64 i = 0; i < n; i++) codes[i] = 0;
    } else if (dtype == INT8) {
      int8Codes(codes, x + first, n, scale);
    } else {
      for (i64 i = 0; i < n; i++) codes[i] = floatToE4m3(x[first + i] / scale);
    }
  }
}

static void scaledToFloats(float* to, const char* from, Dtype dtype, i64 width) {
  const i64 shared = scaleEvery(dtype, width);
  const float* scales = (const float*)(from + scalesAt(width));
  for (i64 first = 0; first < width; first += shared) {
    const i64 n = min(shared, width - first);
    const u8* codes = (const u8*)from + first;
    const F scale = set1(*scales++);
    i64 i = 0;
    if (dtype == INT8) {
      for (; i + LANES <= n; i += LANES) store(to + first + i, floats(loadI8(codes + i)) * scale);
      for (; i < n; i++) to[first + i] = (float)(int8_t)codes[i] * scale[0];
    } else {
      rowToFloats<RowE4m3>(to + first, codes, n, scale[0]);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
