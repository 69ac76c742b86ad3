// groupByExpert, expertMatmul, combineExperts. A plan is [offsets of each expert's rows | per grouped row its
// assignment | per assignment its grouped row].

static void groupByExpert(Context& context, Args args) {
  int32_t* plan = args.pointer<int32_t>();
  const int32_t* indices = args.pointer<const int32_t>();
  const i64 count = args.count(), experts = args.count();
  i64 begin, end;
  if (!context.claim(1, 1, begin, end)) return;
  int32_t* assignments = plan + experts + 1;
  int32_t* places = assignments + count;
  for (i64 e = 0; e <= experts; e++) plan[e] = 0;
  for (i64 a = 0; a < count; a++) plan[indices[a] + 1]++;
  for (i64 e = 0; e < experts; e++) plan[e + 1] += plan[e];
  // The offsets serve as cursors, and are each moved back by one expert's rows afterwards.
  for (i64 a = 0; a < count; a++) {
    const int32_t row = plan[indices[a]]++;
    assignments[row] = (int32_t)a;
    places[a] = row;
  }
  for (i64 e = experts; e > 0; e--) plan[e] = plan[e - 1];
  plan[0] = 0;
}

// The matrix of one expert from the table [address, dtype, scales] per expert.
static INLINE Matrix expertMatrix(const double* table, i64 e, i64 rows, i64 cols, i64 blockRows, i64 blockCols) {
  const double fields[] = {table[3 * e], table[3 * e + 1], (double)rows,      (double)cols,
                           table[3 * e + 2], (double)blockRows, (double)blockCols};
  Args args = {fields};
  return Matrix(args);
}

static size_t expertMatmulScratch(Args args) {
  args.next += 11;
  return panelBytes(args.count());
}

static size_t expertMatmulShared(Args args) {
  args.next += 4;
  const i64 rows = args.count();
  const bool packed = args.flag();
  args.next += 5;
  return packed ? (size_t)(rows * quantisedStride(args.count())) : 0;
}

static void expertMatmul(Context& context, Args args) {
  const TokenRows yRows = {args.pointer<char>(), 0, nullptr, 1};
  char* x = args.pointer<char>();
  const int32_t* plan = args.pointer<const int32_t>();
  const i64 perToken = args.count();  // 0: x is grouped already
  const i64 xRows = args.count();
  const bool packed = args.flag();
  const double* table = args.pointer<const double>();
  const i64 experts = args.count(), blockRows = args.count(), blockCols = args.count();
  const i64 rows = args.count(), cols = args.count();
  const bool fresh = args.flag();
  if (packed && isQuantising(context, fresh)) {
    return quantiseRows(context, xRows, cols, [&](i64 r) { return (float*)x + r * cols; });
  }
  Finish finish = {};
  finish.scale = 1;
  const i64 stride = quantisedStride(cols);
  const i64 tileBytes = packed ? packedTileBytes((Dtype)(int)table[1], cols) : 0;
  const auto unitsOf = [&](i64 T) {
    if (T == 0) return (i64)0;
    return packed ? PackedCut(T, ceilDiv(rows, TILE_ROWS), tileBytes).units() : Cut(T, rows, cols).units();
  };
  // Units in the order of experts that have rows; they rise, so that the expert is found by walking on.
  i64 total = 0;
  for (i64 e = 0; e < experts; e++) total += unitsOf(plan[e + 1] - plan[e]);
  i64 begin, end, e = 0, before = 0;
  const auto run = [&](i64 at) {
    for (;; e++) {
      const i64 units = unitsOf(plan[e + 1] - plan[e]);
      if (at < before + units) break;
      before += units;
    }
    const i64 first = plan[e], T = plan[e + 1] - first, unit = at - before;
    TokenRows y = yRows;
    y.base += first * rows * 4;
    y.stride = rows;
    const Matrix w = expertMatrix(table, e, rows, cols, blockRows, blockCols);
    if (packed) {
      const int32_t* assignments = plan + experts + 1 + first;
      const auto row = [&](i64 t) { return context.shared + (perToken ? assignments[t] / perToken : first + t) * stride; };
      return packedUnit(y, row, T, w, {0, rows}, PackedCut(T, ceilDiv(rows, TILE_ROWS), tileBytes), unit, finish);
    }
    const Cut cut(T, rows, cols);
    const i64 n = unit / cut.tokenBlocks * cut.rowsEach, t = unit % cut.tokenBlocks * cut.tokensEach;
    TokenRows from = {x, cols, nullptr, 1};
    if (perToken > 0) {
      from.plan = plan + experts + 1 + first;
      from.perToken = perToken;
    } else {
      from.base += first * cols * 4;
    }
    productOfMatrix(y, from, t, least(T, t + cut.tokensEach), w, n, least(cut.rowsEach, rows - n), n, finish,
                    (float*)context.scratch);
  };
  while (context.claimRun(total, begin, end)) {
    for (i64 unit = begin; unit < end; unit++) run(unit);
  }
}

static void combineExperts(Context& context, Args args) {
  float* y = args.pointer<float>();
  const float* part = args.pointer<const float>();
  const float* weights = args.pointer<const float>();
  const int32_t* places = args.pointer<const int32_t>();
  const float* residual = args.pointer<const float>();
  const i64 T = args.count(), K = args.count(), D = args.count();
  i64 begin, end;
  while (context.claim(T, rowGrain(K * D), begin, end)) {
    for (i64 t = begin; t < end; t++) {
      for (i64 i = 0; i < D; i += LANES) {
        const int lanes = (int)least<i64>(LANES, D - i);
        F total = loadPart(residual + t * D + i, lanes);
        for (i64 j = 0; j < K; j++) {
          total = fma(set1(weights[t * K + j]), loadPart(part + places[t * K + j] * D + i, lanes), total);
        }
        storePart(y + t * D + i, total, lanes);
      }
    }
  }
}
