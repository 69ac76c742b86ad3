// matmul.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../quant/activations.h"
#include "../quant/operations.h"
#include "../rows/matrix.h"
#include "epilogue.h"
#include "float-product.h"
#include "token-rows.h"
#include "work-split.h"

namespace latentkit::LATENTKIT_ISA {

static size_t matmulScratch(Args args) {
  args.next += 7;
  const Matrix w(args);
  return panelBytes(w.cols);
}

static size_t matmulShared(Args args) {
  args.next += 4;
  const i64 T = args.count();
  args.next += 2;
  const Matrix w(args);
  return isPacked(w.dtype) ? (size_t)(T * quantisedStride(w.cols)) : 0;
}

static void matmul(Context& context, Args args) {
  TokenRows y = {}, x = {};
  y.base = args.pointer<char>();
  y.stride = args.count();
  x.base = args.pointer<char>();
  x.stride = args.count();
  const i64 T = args.count();
  Epilogue epilogue = {};
  epilogue.scale = args.real();
  epilogue.bias = args.pointer<const float>();
  const Matrix w(args);
  epilogue.residual = args.pointer<const float>();
  epilogue.residualStride = args.count();
  if (isPacked(w.dtype)) return packedMatmul(context, y, x, T, w, epilogue, args.flag());
  const WorkSplit split(T, w.rows, w.cols);
  i64 begin, end;
  while (context.claimRun(split.units(), begin, end)) {
    for (i64 unit = begin; unit < end; unit++) {
      const i64 n = unit / split.tokenBlocks * split.rowsEach, t = unit % split.tokenBlocks * split.tokensEach;
      productOfMatrix(y, x, t, min(T, t + split.tokensEach), w, n, min(split.rowsEach, w.rows - n), n, epilogue,
                      (float*)context.scratch);
    }
  }
}

}  // namespace latentkit::LATENTKIT_ISA
