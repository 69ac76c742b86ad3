// matmul.

static size_t matmulScratch(Args args) {
  args.next += 7;
  const Matrix w(args);
  return panelBytes(w.cols);
}

static size_t matmulShared(Args args) {
  args.next += 4;
  const i64 T = args.count();
  args.next += 2;
  const Matrix w(args);
  return isPacked(w.dtype) ? (size_t)(T * quantisedStride(w.cols)) : 0;
}

static void matmul(Context& context, Args args) {
  TokenRows y = {}, x = {};
  y.base = args.pointer<char>();
  y.stride = args.count();
  x.base = args.pointer<char>();
  x.stride = args.count();
  const i64 T = args.count();
  Finish finish = {};
  finish.scale = args.real();
  finish.bias = args.pointer<const float>();
  const Matrix w(args);
  finish.residual = args.pointer<const float>();
  finish.residualStride = args.count();
  if (isPacked(w.dtype)) return packedMatmul(context, y, x, T, w, finish, args.flag());
  const Cut cut(T, w.rows, w.cols);
  i64 begin, end;
  while (context.claimRun(cut.units(), begin, end)) {
    for (i64 unit = begin; unit < end; unit++) {
      const i64 n = unit / cut.tokenBlocks * cut.rowsEach, t = unit % cut.tokenBlocks * cut.tokensEach;
      productOfMatrix(y, x, t, least(T, t + cut.tokensEach), w, n, least(cut.rowsEach, w.rows - n), n, finish,
                      (float*)context.scratch);
    }
  }
}
