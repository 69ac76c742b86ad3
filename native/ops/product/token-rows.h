// Where the tokens' rows are: at a fixed stride, or gathered through the plan of the experts.
#pragma once
#include "../../simd/simd.h"

namespace latentkit::LATENTKIT_ISA {

struct TokenRows {
  char* base;
  // In elements.
  i64 stride;
  // Row t is that of assignment plan[t]: token plan[t] / perToken. Null: row t.
  const int32_t* plan;
  i64 perToken;
  INLINE float* at(i64 t) const { return (float*)base + (plan ? plan[t] / perToken : t) * stride; }
};

}  // namespace latentkit::LATENTKIT_ISA
