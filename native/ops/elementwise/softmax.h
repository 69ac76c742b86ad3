// softmax.
#pragma once
#include "../../core/context.h"
#include "../../core/scalar.h"
#include "../../simd/simd.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void softmax(Context& context, Args args) {
  float* y = args.pointer<float>();
  const float* x = args.pointer<const float>();
  const u8* mask = args.pointer<const u8>();
  float* lse = args.pointer<float>();
  const i64 rows = args.count(), n = args.count();
  const float scale = args.real();
  i64 begin, end;
  while (context.claim(rows, rowGrain(n), begin, end)) {
    for (i64 r = begin; r < end; r++) {
      float* to = y + r * n;
      F highest = set1(-INFINITY_F32);
      for (i64 i = 0; i < n; i += LANES) {
        const int lanes = (int)min<i64>(LANES, n - i);
        F v = loadPart(x + r * n + i, lanes) * scale;
        for (int l = 0; l < LANES; l++) {
          if (l >= lanes || (mask && !mask[r * n + i + l])) v[l] = -INFINITY_F32;
        }
        storePart(to + i, v, lanes);
        highest = vmaxNan(highest, v);
      }
      const float max = hmaxNan(highest);
      if (max == -INFINITY_F32) {
        for (i64 i = 0; i < n; i++) to[i] = 0;
        if (lse) lse[r] = max;
        continue;
      }
      F sums = {};
      for (i64 i = 0; i < n; i += LANES) {
        const int lanes = (int)min<i64>(LANES, n - i);
        F v = exponential(loadPart(to + i, lanes) - max);
        for (int l = lanes; l < LANES; l++) v[l] = 0;
        storePart(to + i, v, lanes);
        sums += v;
      }
      const float total = sum(sums);
      for (i64 i = 0; i < n; i += LANES) {
        const int lanes = (int)min<i64>(LANES, n - i);
        storePart(to + i, loadPart(to + i, lanes) / total, lanes);
      }
      if (lse) lse[r] = (float)(max + log64(total));
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
