// cacheWrite, cacheRead.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/convert.h"
#include "../rows/strided.h"
#include "scaled-vectors.h"
#include "slice.h"

namespace latentkit::LATENTKIT_ISA {

static void cacheWrite(Context& context, const CacheWriteRecord& r) {
  const SliceRecord& slice = r.slice;
  i64 done = 0, b = 0, T = 0;
  for (i64 i = 0; i < r.sequences.count; i++) T += Sequence(r.sequences, i).queryCount;
  context.each(T, rowGrain(slice.heads * slice.width), [&](i64 u) {
    // Units rise, so that the sequence is found by walking on.
    while (u >= done + Sequence(r.sequences, b).queryCount) done += Sequence(r.sequences, b++).queryCount;
    const Sequence sequence(r.sequences, b);
    const i64 i = u - done;
    char* row = rowOf(slice, sequence, sequence.position + i);
    for (i64 g = 0; g < slice.heads; g++) {
      char* to = row + g * headBytes(slice);
      const float* from = r.x + (sequence.queryStart + i) * r.xT + g * r.xH;
      if (isScaled(slice.dtype)) floatsToScaled(to, slice.dtype, from, slice.width);
      else floatsToRow(to, slice.dtype, from, slice.width);
    }
  });
}

static void cacheRead(Context& context, const CacheReadRecord& r) {
  const SliceRecord& slice = r.slice;
  if (r.sequences.count == 0) return;
  const Sequence sequence(r.sequences, 0);
  context.each(r.rows, rowGrain(slice.heads * slice.width), [&](i64 s) {
    const char* row = rowOf(slice, sequence, sequence.keyStart + s);
    for (i64 g = 0; g < slice.heads; g++) {
      float* to = r.y + (s * slice.heads + g) * slice.width;
      const char* from = row + g * headBytes(slice);
      if (isScaled(slice.dtype)) scaledToFloats(to, from, slice.dtype, slice.width);
      else convertRow((char*)to, F32, from, slice.dtype, slice.width);
    }
  });
}

}  // namespace latentkit::LATENTKIT_ISA
