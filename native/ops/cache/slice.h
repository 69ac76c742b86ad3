// Rows of the cache: where they lie, writing and reading them.

struct Sequence {
  i64 queryStart, queryCount, position, keyStart, keyCount;
  const double* table;
  INLINE Sequence(const double* sequences, i64 b) {
    const double* f = sequences + b * 6;
    queryStart = (i64)f[0];
    queryCount = (i64)f[1];
    position = (i64)f[2];
    keyStart = (i64)f[3];
    keyCount = (i64)f[4];
    table = (const double*)(uintptr_t)f[5];
  }
  INLINE i64 keyEnd() const { return keyStart + keyCount; }
};

// A slice of every row: `heads` vectors of `width` elements.
struct Slice {
  // 0: contiguous rows from `base` on, the first at keyStart.
  i64 blockTokens;
  // Of the contiguous rows; or bytes from a block's address to this layer's first row. The slice's offset included.
  i64 base;
  i64 rowBytes;
  Dtype dtype;
  i64 heads, width, headStride;
  INLINE Slice() {}
  INLINE explicit Slice(Args& args)
      : blockTokens(args.count()),
        base(args.count()),
        rowBytes(args.count()),
        dtype(args.dtype()),
        heads(args.count()),
        width(args.count()),
        headStride(args.count()) {}

  INLINE char* row(const Sequence& sequence, i64 position) const {
    if (blockTokens == 0) return (char*)(uintptr_t)(base + (position - sequence.keyStart) * rowBytes);
    const i64 block = (i64)sequence.table[position / blockTokens];
    return (char*)(uintptr_t)(block + base + position % blockTokens * rowBytes);
  }
  // Elements of types with scales are bytes.
  INLINE i64 headBytes() const { return headStride * elementBytes(dtype); }
  INLINE i64 bytes() const { return vectorBytes(dtype, width); }
};

static void cacheWrite(Context& context, Args args) {
  const Slice slice(args);
  const float* x = args.pointer<const float>();
  const i64 xT = args.count(), xH = args.count();
  const double* sequences = args.pointer<const double>();
  const i64 B = args.count();
  i64 done = 0, b = 0, begin, end, T = 0;
  for (i64 i = 0; i < B; i++) T += Sequence(sequences, i).queryCount;
  while (context.claim(T, rowGrain(slice.heads * slice.width), begin, end)) {
    for (i64 u = begin; u < end; u++) {
      // Units rise, so that the sequence is found by walking on.
      while (u >= done + Sequence(sequences, b).queryCount) done += Sequence(sequences, b++).queryCount;
      const Sequence sequence(sequences, b);
      const i64 i = u - done;
      char* row = slice.row(sequence, sequence.position + i);
      for (i64 g = 0; g < slice.heads; g++) {
        char* to = row + g * slice.headBytes();
        const float* from = x + (sequence.queryStart + i) * xT + g * xH;
        if (isScaled(slice.dtype)) floatsToScaled(to, slice.dtype, from, slice.width);
        else floatsToRow(to, slice.dtype, from, slice.width);
      }
    }
  }
}

static void cacheRead(Context& context, Args args) {
  float* y = args.pointer<float>();
  const i64 count = args.count();
  const Slice slice(args);
  const double* sequences = args.pointer<const double>();
  const i64 B = args.count();
  if (B == 0) return;
  const Sequence sequence(sequences, 0);
  i64 begin, end;
  while (context.claim(count, rowGrain(slice.heads * slice.width), begin, end)) {
    for (i64 s = begin; s < end; s++) {
      const char* row = slice.row(sequence, sequence.keyStart + s);
      for (i64 g = 0; g < slice.heads; g++) {
        float* to = y + (s * slice.heads + g) * slice.width;
        const char* from = row + g * slice.headBytes();
        if (isScaled(slice.dtype)) scaledToFloats(to, from, slice.dtype, slice.width);
        else convertRow((char*)to, F32, from, slice.dtype, slice.width);
      }
    }
  }
}
