// The arguments of headMatmul: a product per head, along or across the rows of the weight.
#pragma once
#include "../../core/args.h"
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct HeadProduct {
  float* y;
  i64 yT, yH;
  float* x;
  i64 xT, xH;
  i64 T, H;
  i64 headRows, firstRow, rows;
  bool transposed;
  bool exact;  // f32 factors
  INLINE explicit HeadProduct(Args& args)
      : y(args.pointer<float>()),
        yT(args.count()),
        yH(args.count()),
        x(args.pointer<float>()),
        xT(args.count()),
        xH(args.count()),
        T(args.count()),
        H(args.count()),
        headRows(args.count()),
        firstRow(args.count()),
        rows(args.count()),
        transposed(args.flag()),
        exact(args.flag()) {}
};

}  // namespace latentkit::LATENTKIT_ISA
