// copy: strided tensors of any types.
#pragma once
#include "../../core/context.h"
#include "../../simd/simd.h"
#include "../rows/convert.h"
#include "../rows/strided.h"

namespace latentkit::LATENTKIT_ISA {

static void copy(Context& context, Args args) {
  const Dtype toType = args.dtype(), fromType = args.dtype();
  const Extent extent(args);
  const Strided y(args), x(args);
  const int toBytes = elementBytes(toType), fromBytes = elementBytes(fromType);
  eachPiece(context, extent, [&](i64 r, i64 first, i64 count) {
    convertRow(y.row(extent, r, toBytes) + first * toBytes, toType, x.row(extent, r, fromBytes) + first * fromBytes,
               fromType, count);
  });
}

}  // namespace latentkit::LATENTKIT_ISA
