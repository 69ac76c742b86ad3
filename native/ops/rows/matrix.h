// A weight as the kernels see it, and its rows as f32.
#pragma once
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../quant/formats.h"
#include "../quant/rows.h"
#include "row-types.h"

namespace latentkit::LATENTKIT_ISA {

struct Matrix : WeightRecord {
  INLINE explicit Matrix(const WeightRecord& record) : WeightRecord(record) {}

  template <class T> INLINE const T* row(i64 n) const { return (const T*)address + n * cols; }

  // Columns first .. + count of row n, times `factor`.
  INLINE void toFloats(float* to, i64 n, i64 first, i64 count, float factor) const {
    if (isPacked(dtype)) {
      return withFormat(dtype, [&](auto format) {
        packedRow<decltype(format)>(to, (const u8*)address, n, cols, first, count, factor);
      });
    }
    withRowType(dtype, [&](auto type) {
      typedef decltype(type) Row;
      const auto* from = row<typename Row::Type>(n);
      if (!scales) return rowToFloats<Row>(to, from + first, count, factor);
      const float* line = scales + (n / blockRows) * ceilDiv(cols, blockCols);
      for (i64 c = first; c < first + count;) {
        const i64 end = min(first + count, (c / blockCols + 1) * blockCols);
        rowToFloats<Row>(to + (c - first), from + c, end - c, line[c / blockCols]);
        c = end;
      }
      if (factor != 1) rowToFloats<RowF32>(to, to, count, factor);
    });
  }
};

}  // namespace latentkit::LATENTKIT_ISA
