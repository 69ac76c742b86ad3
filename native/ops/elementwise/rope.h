// ropeTable, rope.
#pragma once
#include "../../core/context.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void ropeTable(Context& context, Args args) {
  float* table = args.pointer<float>();
  const int32_t* positions = args.pointer<const int32_t>();
  const double* frequencies = args.pointer<const double>();
  const i64 T = args.count(), r = args.count();
  const double m = args.real64();
  i64 begin, end;
  while (context.claim(T, max<i64>(1, 256 / max<i64>(1, r)), begin, end)) {
    for (i64 t = begin; t < end; t++) {
      for (i64 i = 0; i < r; i++) {
        double sine, cosine;
        sineAndCosine((double)positions[t] * frequencies[i], sine, cosine);
        table[t * 2 * r + i] = (float)(m * cosine);
        table[t * 2 * r + r + i] = (float)(m * sine);
      }
    }
  }
}

static void rope(Context& context, Args args) {
  float* y = args.pointer<float>();
  const i64 yT = args.count(), yH = args.count();
  const float* x = args.pointer<const float>();
  const i64 xT = args.count(), xH = args.count();
  const float* table = args.pointer<const float>();
  const i64 T = args.count(), heads = args.count(), n = args.count(), r = args.count();
  const bool interleaved = args.flag();
  const i64 near = interleaved ? 2 : 1, far = interleaved ? 1 : r;
  i64 begin, end;
  while (context.claim(T * heads, rowGrain(n), begin, end)) {
    for (i64 row = begin; row < end; row++) {
      const i64 t = row / heads, h = row % heads;
      const float* from = x + t * xT + h * xH;
      float* to = y + t * yT + h * yH;
      const float* cosines = table + t * 2 * r;
      const float* sines = cosines + r;
      for (i64 i = 0; i < r; i++) {
        const float a = from[i * near], b = from[i * near + far];
        to[i * near] = a * cosines[i] - b * sines[i];
        to[i * near + far] = a * sines[i] + b * cosines[i];
      }
      if (to != from) {
        for (i64 i = 2 * r; i < n; i++) to[i] = from[i];
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
