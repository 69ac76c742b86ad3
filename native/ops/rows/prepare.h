// What `prepare` needs done to bytes that are copied.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "matrix.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

// A piece of a matrix stored as [cols, rows]: stored rows first .. + count go into columns of to [rows, cols].
static void transpose(Context& context, Args args) {
  char* to = args.pointer<char>();
  const char* from = args.pointer<const char>();
  const i64 bytes = args.count(), rows = args.count(), cols = args.count(), first = args.count(), count = args.count();
  i64 begin, end;
  while (context.claim(rows, 16, begin, end)) {
    for (i64 k = 0; k < count; k++) {
      for (i64 n = begin; n < end; n++) {
        copyBytes(to + (n * cols + first + k) * bytes, from + (k * rows + n) * bytes, (size_t)bytes);
      }
    }
  }
}

// to[i] = the matrix's i-th number + add, as f32.
static void addToVector(Context& context, Args args) {
  float* to = args.pointer<float>();
  const float add = args.real();
  const Matrix w(args);
  i64 begin, end;
  while (context.claim(w.rows, rowGrain(w.cols), begin, end)) {
    for (i64 n = begin; n < end; n++) {
      w.toFloats(to + n * w.cols, n, 0, w.cols, 1);
      for (i64 i = n * w.cols; i < (n + 1) * w.cols; i++) to[i] += add;
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
