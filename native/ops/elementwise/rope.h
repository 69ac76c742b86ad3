// rope.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void rope(Context& context, const RopeRecord& record) {
  const i64 heads = record.H, n = record.n, r = record.r;
  const i64 near = record.interleaved ? 2 : 1, far = record.interleaved ? 1 : r;
  context.each(record.T * heads, rowGrain(n), [&](i64 row) {
    const i64 t = row / heads, h = row % heads;
    const float* from = record.x + t * record.xT + h * record.xH;
    float* to = record.y + t * record.yT + h * record.yH;
    const float* cosines = record.cosSin + t * 2 * r;
    const float* sines = cosines + r;
    for (i64 i = 0; i < r; i++) {
      const float a = from[i * near], b = from[i * near + far];
      to[i * near] = a * cosines[i] - b * sines[i];
      to[i * near + far] = a * sines[i] + b * cosines[i];
    }
    if (to != from) {
      for (i64 i = 2 * r; i < n; i++) to[i] = from[i];
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
