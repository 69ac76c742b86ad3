// matmul.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../quant/activations.h"
#include "../quant/operations.h"
#include "../rows/matrix.h"
#include "epilogue.h"
#include "float-product.h"
#include "token-rows.h"
#include "work-split.h"

namespace latentkit::LATENTKIT_ISA {

static size_t scratchBytes(const MatmulRecord& r) {
  return isPacked(r.w.dtype) ? packedScratch(r.w.cols) : panelBytes(r.w.cols);
}

static size_t sharedBytes(const MatmulRecord& r) {
  return isPacked(r.w.dtype) ? (size_t)(r.T * quantisedStride(r.w.cols)) : 0;
}

static void matmul(Context& context, const MatmulRecord& r) {
  const TokenRows y = {(char*)r.y, r.yT, nullptr, 0}, x = {(char*)r.x, r.xT, nullptr, 0};
  const Epilogue epilogue = {r.bias, r.residual, r.residualT, r.scale};
  const i64 T = r.T;
  const Matrix w(r.w);
  if (isPacked(w.dtype)) return packedMatmul(context, y, x, T, w, epilogue, r.mustQuantise);
  const WorkSplit split(T, w.rows, w.cols);
  context.eachRun(split.units(), [&](i64 unit) {
    const i64 n = unit / split.tokenBlocks * split.rowsEach, t = unit % split.tokenBlocks * split.tokensEach;
    productOfMatrix(y, x, t, min(T, t + split.tokensEach), w, n, min(split.rowsEach, w.rows - n), n, epilogue,
                    (float*)context.scratch);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
