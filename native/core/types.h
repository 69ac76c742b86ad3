// The types of tensors and weights, and the activations, by their numbers in records.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once

namespace latentkit {

enum Dtype : int {
  F32 = 0,
  F16 = 1,
  BF16 = 2,
  E4M3 = 3,
  I32 = 4,
  U8 = 5,
  F64 = 6,
  INT8 = 7,
  FP8 = 8,
  Q8_0 = 9,
  Q4_0 = 10,
  Q4_1 = 11,
  Q5_0 = 12,
  Q5_1 = 13,
  Q2_K = 14,
  Q3_K = 15,
  Q4_K = 16,
  Q5_K = 17,
  Q6_K = 18,
  IQ4_NL = 19,
  IQ4_XS = 20,
  MXFP4 = 21,
  Q1_0 = 22,
  Q2_0 = 23,
};

// Quantised matrices, packed as ops/quant/formats.h says.
#define LATENTKIT_PACKED_TYPES(TYPE) \
  TYPE(Q8_0) \
  TYPE(Q4_0) \
  TYPE(Q4_1) \
  TYPE(Q5_0) \
  TYPE(Q5_1) \
  TYPE(Q2_K) \
  TYPE(Q3_K) \
  TYPE(Q4_K) \
  TYPE(Q5_K) \
  TYPE(Q6_K) \
  TYPE(IQ4_NL) \
  TYPE(IQ4_XS) \
  TYPE(MXFP4) \
  TYPE(Q1_0) \
  TYPE(Q2_0)

#define LATENTKIT_PACKED_CASES \
  case Q8_0: \
  case Q4_0: \
  case Q4_1: \
  case Q5_0: \
  case Q5_1: \
  case Q2_K: \
  case Q3_K: \
  case Q4_K: \
  case Q5_K: \
  case Q6_K: \
  case IQ4_NL: \
  case IQ4_XS: \
  case MXFP4: \
  case Q1_0: \
  case Q2_0

// Cached vectors of codes with scales behind them (ops/cache/scaled-vectors.h).
#define LATENTKIT_SCALED_CASES \
  case INT8: \
  case FP8

enum Activation : int {
  SILU = 0,
  GELU = 1,
  GELU_TANH = 2,
  QUICK_GELU = 3,
  RELU = 4,
  RELU2 = 5,
  SIGMOID = 6,
  TANH = 7,
};

}  // namespace latentkit
