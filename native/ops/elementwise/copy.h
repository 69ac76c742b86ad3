// copy: strided tensors of any types.
#pragma once
#include "../../core/context.h"
#include "../../core/records.h"
#include "../../simd/simd.h"
#include "../rows/convert.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void copy(Context& context, const CopyRecord& r) {
  const int toBytes = elementBytes(r.toType), fromBytes = elementBytes(r.fromType);
  eachPiece(context, r.extent, [&](i64 row, i64 first, i64 count) {
    convertRow(r.y.row(r.extent, row, toBytes) + first * toBytes, r.toType,
               r.x.row(r.extent, row, fromBytes) + first * fromBytes, r.fromType, count);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
