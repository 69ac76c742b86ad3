// embed: rows of a matrix by id.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "matrix.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

static void embed(Context& context, Args args) {
  float* y = args.pointer<float>();
  const int32_t* ids = args.pointer<const int32_t>();
  const i64 T = args.count();
  const float scale = args.real();
  const Matrix w(args);
  i64 begin, end;
  while (context.claim(T, rowGrain(w.cols), begin, end)) {
    for (i64 t = begin; t < end; t++) w.toFloats(y + t * w.cols, ids[t], 0, w.cols, scale);
  }
}

}  // namespace latentkit::LATENTKIT_ISA
