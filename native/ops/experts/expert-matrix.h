// One of several experts.
#pragma once
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/matrix.h"

namespace latentkit::LATENTKIT_ISA {

// The matrix of one expert, from the table [address, dtype, scales] of all.
static INLINE Matrix expertMatrix(const ExpertsRecord& w, i64 e) {
  const double fields[] = {w.table[3 * e],     w.table[3 * e + 1],  (double)w.rows,     (double)w.cols,
                           w.table[3 * e + 2], (double)w.blockRows, (double)w.blockCols};
  Args args = {fields};
  return Matrix(WeightRecord(args));
}

}  // namespace latentkit::LATENTKIT_ISA
