// selectKeys: the keys with the largest scores, by the digits of their scores from the highest on.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../cache/slice.h"

namespace latentkit::LATENTKIT_ISA {

// Integers in the order of the numbers: both zeros are one, NaN is below all.
INLINE uint32_t orderOf(float score) {
  if (score != score) return 0;
  const float plain = score + 0.0f;
  uint32_t bits;
  __builtin_memcpy(&bits, &plain, 4);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// Writes the positions of the K largest of n scores, rising; of equal ones at the border the first.
static INLINE void selectLargest(int32_t* to, const float* scores, i64 n, i64 K, i64 keyStart) {
  uint32_t border = 0, mask = 0;
  i64 wanted = K;
  for (int shift = 24; shift >= 0; shift -= 8) {
    i64 counts[256] = {};
    for (i64 k = 0; k < n; k++) {
      const uint32_t order = orderOf(scores[k]);
      if ((order & mask) == border) counts[order >> shift & 255]++;
    }
    int digit = 255;
    for (; wanted > counts[digit]; digit--) wanted -= counts[digit];
    border |= (uint32_t)digit << shift;
    mask |= (uint32_t)255 << shift;
  }
  for (i64 k = 0; k < n; k++) {
    const uint32_t order = orderOf(scores[k]);
    if (order < border || (order == border && wanted-- <= 0)) continue;
    *to++ = (int32_t)(keyStart + k);
  }
}

static void selectKeys(Context& context, const SelectKeysRecord& r) {
  i64 begin, end;
  while (context.claim(r.sequences.count, 1, begin, end)) {
    for (i64 b = begin; b < end; b++) {
      const Sequence sequence(r.sequences, b);
      const i64 keys = min(r.width, sequence.keyCount);
      const i64 seen = max<i64>(0, min(keys, sequence.position + 1 - sequence.keyStart));
      int32_t* to = r.selected + sequence.queryStart * r.K;
      if (seen > r.K) {
        selectLargest(to, r.scores + b * r.scoresB, seen, r.K, sequence.keyStart);
        continue;
      }
      for (i64 k = 0; k < r.K; k++) to[k] = k < seen ? (int32_t)(sequence.keyStart + k) : -1;
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
