// cacheWrite, cacheRead.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/convert.h"
#include "../rows/strided.h"
#include "scaled-vectors.h"
#include "slice.h"

namespace latentkit::LATENTKIT_ISA {

static void cacheWrite(Context& context, Args args) {
  const Slice slice(args);
  const float* x = args.pointer<const float>();
  const i64 xT = args.count(), xH = args.count();
  const double* sequences = args.pointer<const double>();
  const i64 B = args.count();
  i64 done = 0, b = 0, begin, end, T = 0;
  for (i64 i = 0; i < B; i++) T += Sequence(sequences, i).queryCount;
  while (context.claim(T, rowGrain(slice.heads * slice.width), begin, end)) {
    for (i64 u = begin; u < end; u++) {
      // Units rise, so that the sequence is found by walking on.
      while (u >= done + Sequence(sequences, b).queryCount) done += Sequence(sequences, b++).queryCount;
      const Sequence sequence(sequences, b);
      const i64 i = u - done;
      char* row = slice.row(sequence, sequence.position + i);
      for (i64 g = 0; g < slice.heads; g++) {
        char* to = row + g * slice.headBytes();
        const float* from = x + (sequence.queryStart + i) * xT + g * xH;
        if (isScaled(slice.dtype)) floatsToScaled(to, slice.dtype, from, slice.width);
        else floatsToRow(to, slice.dtype, from, slice.width);
      }
    }
  }
}

static void cacheRead(Context& context, Args args) {
  float* y = args.pointer<float>();
  const i64 count = args.count();
  const Slice slice(args);
  const double* sequences = args.pointer<const double>();
  const i64 B = args.count();
  if (B == 0) return;
  const Sequence sequence(sequences, 0);
  i64 begin, end;
  while (context.claim(count, rowGrain(slice.heads * slice.width), begin, end)) {
    for (i64 s = begin; s < end; s++) {
      const char* row = slice.row(sequence, sequence.keyStart + s);
      for (i64 g = 0; g < slice.heads; g++) {
        float* to = y + (s * slice.heads + g) * slice.width;
        const char* from = row + g * slice.headBytes();
        if (isScaled(slice.dtype)) scaledToFloats(to, from, slice.dtype, slice.width);
        else convertRow((char*)to, F32, from, slice.dtype, slice.width);
      }
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
