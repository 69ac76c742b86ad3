// What `prepare` needs done to bytes that are copied.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "matrix.h"
#include "strided.h"

namespace latentkit::LATENTKIT_ISA {

// A piece of a matrix stored as [cols, rows]: stored rows first .. + stored go into columns of to [rows, cols].
static void transpose(Context& context, const TransposeRecord& r) {
  i64 begin, end;
  while (context.claim(r.rows, 16, begin, end)) {
    for (i64 k = 0; k < r.stored; k++) {
      for (i64 n = begin; n < end; n++) {
        copyBytes(r.to + (n * r.cols + r.first + k) * r.bytes, r.from + (k * r.rows + n) * r.bytes, (size_t)r.bytes);
      }
    }
  }
}

// to[i] = the matrix's i-th number + add, as f32.
static void addToVector(Context& context, const AddToVectorRecord& r) {
  const Matrix w(r.w);
  context.each(w.rows, rowGrain(w.cols), [&](i64 n) {
    w.toFloats(r.to + n * w.cols, n, 0, w.cols, 1);
    for (i64 i = n * w.cols; i < (n + 1) * w.cols; i++) r.to[i] += r.add;
  });
}

}  // namespace latentkit::LATENTKIT_ISA
