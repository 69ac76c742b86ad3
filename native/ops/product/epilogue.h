// What happens to a product before it is stored.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct Epilogue {
  const float* bias;
  const float* residual;
  i64 residualStride;
  float scale;
  INLINE bool none() const { return !bias && !residual && scale == 1; }
  INLINE float operator()(float product, i64 t, i64 n) const {
    if (bias) product += bias[n];
    product *= scale;
    return residual ? residual[t * residualStride + n] + product : product;
  }
};

}  // namespace latentkit::LATENTKIT_ISA
