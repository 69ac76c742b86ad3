// mergeAttention, probabilities, and the one formula by which results over disjoint keys become one.

INLINE bool isNan(double x) { return x != x; }

// Weights of parts with the given lse: exp(lse_i - lse), and lse = ln sum exp(lse_i). A part with lse -inf saw
// nothing and weighs 0. `weights` holds the parts' lse before.
static INLINE double mergeWeights(double* weights, i64 n) {
  double max = -__builtin_inf();
  for (i64 i = 0; i < n; i++) max = weights[i] > max || isNan(weights[i]) ? weights[i] : max;
  if (max == -__builtin_inf()) {
    for (i64 i = 0; i < n; i++) weights[i] = 0;
    return max;
  }
  double total = 0;
  for (i64 i = 0; i < n; i++) total += weights[i] = exp64(weights[i] - max);
  for (i64 i = 0; i < n; i++) weights[i] /= total;
  return max + log64(total);
}

// y += weight x, or y = weight x if `first`. Weight 0: what x holds is not looked at.
static INLINE void addPart(float* y, const float* x, double weight, i64 n, bool first) {
  if (weight == 0) {
    if (first) {
      for (i64 i = 0; i < n; i++) y[i] = 0;
    }
    return;
  }
  const F by = set1((float)weight);
  for (i64 i = 0; i < n; i += LANES) {
    const int lanes = (int)least<i64>(LANES, n - i);
    const F part = loadPart(x + i, lanes);
    storePart(y + i, first ? by * part : fma(by, part, loadPart(y + i, lanes)), lanes);
  }
}

static size_t mergeAttentionScratch(Args args) { return (size_t)args.count() * 8; }

static void mergeAttention(Context& context, Args args) {
  const i64 n = args.count(), rows = args.count(), V = args.count();
  float* out = args.pointer<float>();
  float* lse = args.pointer<float>();
  const float* parts = args.pointer<const float>();
  const float* partLse = args.pointer<const float>();
  double* weights = (double*)context.scratch;
  i64 begin, end;
  while (context.claim(rows, rowGrain(n * V), begin, end)) {
    for (i64 r = begin; r < end; r++) {
      for (i64 i = 0; i < n; i++) weights[i] = partLse[i * rows + r];
      lse[r] = (float)mergeWeights(weights, n);
      for (i64 i = 0; i < n; i++) addPart(out + r * V, parts + (i * rows + r) * V, weights[i], V, i == 0);
    }
  }
}

static void probabilities(Context& context, Args args) {
  const float* lse = args.pointer<const float>();
  const i64 heads = args.count(), T = args.count(), S = args.count();
  float* p = args.pointer<float>();
  const i64 pH = args.count(), pT = args.count();
  const float* scores = args.pointer<const float>();
  const i64 sH = args.count(), sT = args.count();
  i64 begin, end;
  while (context.claim(heads * T, rowGrain(S), begin, end)) {
    for (i64 r = begin; r < end; r++) {
      const i64 h = r / T, t = r % T;
      const float* from = scores + h * sH + t * sT;
      float* to = p + h * pH + t * pT;
      const float total = lse[t * heads + h];
      for (i64 i = 0; i < S; i += LANES) {
        const int lanes = (int)least<i64>(LANES, S - i);
        const F score = loadPart(from + i, lanes);
        // A row that sees nothing has lse -inf: its masked scores are 0 all the same.
        storePart(to + i, score == -INFINITY_F32 ? F{} : exponential(score - total), lanes);
      }
    }
  }
}
