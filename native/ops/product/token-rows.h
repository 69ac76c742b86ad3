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

// Rows of an expert, the first of which is the grouped row `first`. x has them grouped, or, where `perToken` > 0, a row for so many
// assignments, which the plan of so many experts names.
INLINE TokenRows expertRows(const float* x, i64 cols, const int32_t* plan, i64 experts, i64 perToken, i64 first) {
  if (perToken == 0) return {(char*)(x + first * cols), cols, nullptr, 1};
  return {(char*)x, cols, plan + experts + 1 + first, perToken};
}

}  // namespace latentkit::LATENTKIT_ISA
