// embed, gatherRows, copy, axpby.

static void embed(Context& context, Args args) {
  float* y = args.pointer<float>();
  const int32_t* ids = args.pointer<const int32_t>();
  const i64 T = args.count();
  const float scale = args.real();
  const Matrix w(args);
  i64 begin, end;
  while (context.claim(T, rowGrain(w.cols), begin, end)) {
    for (i64 t = begin; t < end; t++) w.toFloats(y + t * w.cols, ids[t], 0, w.cols, scale);
  }
}

static void gatherRows(Context& context, Args args) {
  float* y = args.pointer<float>();
  const float* x = args.pointer<const float>();
  const int32_t* index = args.pointer<const int32_t>();
  const i64 T = args.count(), cols = args.count();
  i64 begin, end;
  while (context.claim(T, rowGrain(cols), begin, end)) {
    for (i64 t = begin; t < end; t++) copyBytes(y + t * cols, x + index[t] * cols, (size_t)cols * 4);
  }
}

static INLINE double elementOf(const char* row, Dtype dtype, i64 i) {
  switch (dtype) {
    case F32: return ((const float*)row)[i];
    case F16: return f16ToFloat(((const uint16_t*)row)[i]);
    case BF16: return bf16ToFloat(((const uint16_t*)row)[i]);
    case E4M3: return e4m3ToFloat(((const uint8_t*)row)[i]);
    case I32: return ((const int32_t*)row)[i];
    case U8: return ((const uint8_t*)row)[i];
    default: return ((const double*)row)[i];
  }
}

static INLINE void setElement(char* row, Dtype dtype, i64 i, double value) {
  switch (dtype) {
    case F32: ((float*)row)[i] = (float)value; return;
    case F16: ((uint16_t*)row)[i] = floatToF16(value); return;
    case BF16: ((uint16_t*)row)[i] = floatToBf16(value); return;
    case E4M3: ((uint8_t*)row)[i] = floatToE4m3(value); return;
    case I32: ((int32_t*)row)[i] = (int32_t)(i64)value; return;
    case U8: ((uint8_t*)row)[i] = (uint8_t)(i64)value; return;
    default: ((double*)row)[i] = value;
  }
}

// n floats into a row of the three types a cache may have.
static INLINE void floatsToRow(char* to, Dtype dtype, const float* from, i64 n) {
  if (dtype == F32) {
    copyBytes(to, from, (size_t)n * 4);
    return;
  }
  uint16_t* codes = (uint16_t*)to;
  i64 i = 0;
  if (dtype == F16) {
    for (; i + LANES <= n; i += LANES) storeF16(codes + i, load(from + i));
    for (; i < n; i++) codes[i] = floatToF16(from[i]);
  } else {
    for (; i + LANES <= n; i += LANES) storeBf16(codes + i, load(from + i));
    for (; i < n; i++) codes[i] = floatToBf16(from[i]);
  }
}

static INLINE void convertRow(char* to, Dtype toType, const char* from, Dtype fromType, i64 n) {
  if (toType == fromType) {
    copyBytes(to, from, (size_t)n * elementBytes(toType));
  } else if (fromType == F32 && (toType == F16 || toType == BF16)) {
    floatsToRow(to, toType, (const float*)from, n);
  } else if (toType == F32 && (fromType == F16 || fromType == BF16 || fromType == E4M3)) {
    withRowType(fromType, [&](auto row) {
      rowToFloats<decltype(row)>((float*)to, (const typename decltype(row)::Type*)from, n, 1);
    });
  } else {
    for (i64 i = 0; i < n; i++) setElement(to, toType, i, elementOf(from, fromType, i));
  }
}

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

static void axpby(Context& context, Args args) {
  const F a = set1(args.real()), b = set1(args.real());
  const bool two = args.flag();
  const Extent extent(args);
  const Strided y(args), x(args), z(args);
  eachPiece(context, extent, [&](i64 r, i64 first, i64 count) {
    float* to = y.floats(extent, r) + first;
    const float* from = x.floats(extent, r) + first;
    const float* other = z.floats(extent, r) + first;
    i64 i = 0;
    if (two) {
      for (; i + LANES <= count; i += LANES) store(to + i, fma(a, load(from + i), b * load(other + i)));
      const int rest = (int)(count - i);
      if (rest) storePart(to + i, fma(a, loadPart(from + i, rest), b * loadPart(other + i, rest)), rest);
    } else {
      for (; i + LANES <= count; i += LANES) store(to + i, a * load(from + i));
      const int rest = (int)(count - i);
      if (rest) storePart(to + i, a * loadPart(from + i, rest), rest);
    }
  });
}
