// gatherRows: rows of a tensor by index.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

static void gatherRows(Context& context, Args args) {
  float* y = args.pointer<float>();
  const float* x = args.pointer<const float>();
  const int32_t* index = args.pointer<const int32_t>();
  const i64 T = args.count(), cols = args.count();
  i64 begin, end;
  while (context.claim(T, rowGrain(cols), begin, end)) {
    for (i64 t = begin; t < end; t++) copyBytes(y + t * cols, x + index[t] * cols, (size_t)cols * 4);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
