// A block of query rows against a span of keys: the inner part of attention.
//
// Keys are taken in spans that lie on a fixed grid of absolute positions. A row's state after a span (largest score M,
// sum L of exponentials, weighted sum O of values) comes from the span's keys alone: all scores, their maximum, the
// exponentials, one product with the values. The states of spans are merged in rising order. So the bits of a row depend
// on its own query and keys alone: not on chunks, batches or threads. Within a span, keys are taken in tiles; those at
// its ends without a key that some row of the block sees are left out, which adds nothing but zeros to what is summed.

constexpr i64 SPAN = 256;
constexpr i64 SPAN_TILES = SPAN / TILE;
// Query rows (a query position and a head) of a block, at most: many, because all of them share the laying of keys and
// values, but so few that what a thread keeps of them stays in its second cache.
constexpr i64 BLOCK_ROWS = 256;
INLINE i64 blockRows(const Attention& a) { return a.V <= 256 ? BLOCK_ROWS : BLOCK_ROWS / 2; }

// Tiles of a span.
typedef Range Tiles;

struct Block {
  const Attention* attention;
  const Sequence* sequence;
  i64 heads, firstHead, rows;
  i64 firstQuery;
  // The state after a span; a row's weighted sum goes where `out` says, `own` is room for all.
  float* max;
  float* sum;
  float* out[BLOCK_ROWS];
  float* own;  // [BLOCK_ROWS, paddedV]
  // The state after all spans so far.
  float* totalMax;
  float* totalSum;
  float* total;   // [BLOCK_ROWS, paddedV]
  float* scores;  // [BLOCK_ROWS, SPAN]; then the exponentials, as words
  float* byKey;   // [TILE, rows of a tile]
  float* queries;
  float* keys;    // [TILE, words of a key]
  float* plain;   // [slices with scales, TILE, numbers]
  float* panels;  // [panels, SPAN words, PANEL_COLUMNS]
  char* zeros;    // a vector, scales included
  i64 words;      // of a key
  KeySet seen[BLOCK_ROWS][SPAN_TILES];
  KeySet any[SPAN_TILES];

  INLINE i64 queryOf(i64 r) const { return firstQuery + r / heads; }
  INLINE i64 headOf(i64 r) const { return firstHead + r % heads; }
  INLINE i64 tokenOf(i64 r) const { return sequence->queryStart + queryOf(r); }
  // Bytes from a row's slice to the vector that a head reads.
  INLINE i64 vectorOf(const Slice& slice, i64 head) const {
    return (head * slice.heads / attention->H) * slice.headBytes();
  }
};

INLINE float maxNan(float a, float b) { return b > a || b != b ? b : a; }

// Takes what a thread needs for blocks from `memory`; with null it only counts the bytes.
template <class N> static INLINE size_t layBlock(Block& block, const Attention& a, char* memory) {
  size_t used = 0;
  const auto take = [&](i64 floats) {
    float* at = (float*)(memory + used);
    used += (size_t)roundUp(floats * 4, 64);
    return at;
  };
  const i64 V = a.paddedV(), rows = blockRows(a);
  i64 widest = a.V;
  block.words = 0;
  for (i64 s = 0; s < a.slices; s++) {
    block.words += wordsOf<N>(a.keys[s].width);
    widest = most(widest, a.keys[s].width);
  }
  block.attention = &a;
  block.max = take(rows);
  block.sum = take(rows);
  block.own = take(rows * V);
  block.totalMax = take(rows);
  block.totalSum = take(rows);
  block.total = take(rows * V);
  block.scores = take(rows * SPAN);
  block.byKey = take(TILE * most<i64>(SCORE_TILE_ROWS, LANES));
  block.queries = take(most(roundUp(rows, SCORE_TILE_ROWS), a.H * SCORE_ROWS) * block.words);
  block.keys = take(TILE * block.words);
  block.plain = take(TILE * a.scaledNumbers());
  block.panels = take(SPAN * roundUp(a.V, PANEL_COLUMNS));
  block.zeros = (char*)take(widest + 4);
  if (memory) __builtin_memset(block.zeros, 0, (size_t)(widest + 4) * 4);
  return used;
}

// n numbers as words, in whole vectors.
template <class N, class Row> static INLINE void toWords(float* to, const typename Row::Type* from, i64 n) {
  constexpr i64 STEP = LANES * N::PER_WORD;
  for (i64 c = 0; c < n; c += STEP, to += LANES) store(to, N::template along<Row>(from + c, n - c));
}

// Lays the queries of some rows of the block.
template <class N> static INLINE void layRows(const Block& block, float* to, i64 firstRow, i64 rows) {
  const Attention& a = *block.attention;
  const float* words[SCORE_TILE_ROWS];
  for (i64 first = 0; first < rows; first += SCORE_TILE_ROWS, to += SCORE_TILE_ROWS * block.words) {
    const i64 count = least(SCORE_TILE_ROWS, rows - first);
    for (i64 i = 0; i < count; i++) {
      const i64 r = firstRow + first + i;
      const float* q = a.q + block.tokenOf(r) * a.qT + block.headOf(r) * a.qH;
      float* row = block.keys + i * block.words;
      words[i] = row;
      for (i64 s = 0; s < a.slices; s++) {
        toWords<N, RowF32>(row, q, a.keys[s].width);
        q += a.keys[s].width;
        row += wordsOf<N>(a.keys[s].width);
      }
    }
    layQueries(to, words, count, block.words);
  }
}

// Finds a head's vectors of a slice in the tile that begins at key `start`; of keys that are not among `keys`, zeros.
static INLINE void findKeys(const Block& block, const Slice& slice, i64 head, i64 start, KeySet keys, const char** rows) {
  const Sequence& sequence = *block.sequence;
  const i64 vector = block.vectorOf(slice, head);
  if (keys && (slice.blockTokens == 0 || slice.blockTokens % TILE == 0)) {
    const char* first = slice.row(sequence, start) + vector;
    for (i64 k = 0; k < TILE; k++) rows[k] = first + k * slice.rowBytes;
  } else {
    eachRun(keys, [&](i64 lo, i64 hi) {
      for (i64 k = lo; k < hi; k++) rows[k] = slice.row(sequence, start + k) + vector;
    });
  }
  eachRun(~keys, [&](i64 lo, i64 hi) {
    for (i64 k = lo; k < hi; k++) rows[k] = block.zeros;
  });
}

// Where the vectors of a tile lie.
struct TileRows {
  const char* keys[MAX_KEY_SLICES][TILE];
  const char* values[TILE];
};

// What a type with scales becomes before it is multiplied.
INLINE Dtype plainType(Dtype dtype) { return isScaled(dtype) ? F32 : dtype; }

// Turns vectors with scales into numbers and points at these; returns what lies behind them.
static INLINE float* openVectors(float* to, const Slice& slice, const char** vectors, i64 count) {
  for (i64 i = 0; i < count; i++, to += slice.width) {
    scaledToFloats(to, vectors[i], slice.dtype, slice.width);
    vectors[i] = (const char*)to;
  }
  return to;
}

// The same for what keys k .. k + count of a tile have of such.
static INLINE void openScaled(const Block& block, TileRows& rows, i64 k, i64 count) {
  const Attention& a = *block.attention;
  float* to = block.plain;
  bool known = false;
  for (i64 s = 0; s < a.slices; s++) {
    const Slice& slice = a.keys[s];
    if (!isScaled(slice.dtype)) continue;
    to = openVectors(to, slice, rows.keys[s] + k, count);
    if (!a.beginsAs(slice)) continue;
    for (i64 i = k; i < k + count; i++) rows.values[i] = rows.keys[s][i];
    known = true;
  }
  if (isScaled(a.values.dtype) && !known) openVectors(to, a.values, rows.values + k, count);
}

// Points at the words of keys k .. k + count of a tile: where they lie, or at a copy where they are other numbers.
// Returns how far apart they lie, where another key lies behind the last.
template <class N> static INLINE i64 openKeys(const Block& block, const TileRows& rows, i64 k, i64 count, const float** words) {
  const Attention& a = *block.attention;
  const Slice& only = a.keys[0];
  if (a.slices == 1 && only.dtype == (N::PER_WORD == 2 ? BF16 : F32) && only.width % (LANES * N::PER_WORD) == 0) {
    for (i64 i = 0; i < count; i++) words[i] = (const float*)rows.keys[0][k + i];
    return only.rowBytes / 4;
  }
  float* to = block.keys;
  for (i64 i = 0; i < count; i++, to += block.words) words[i] = to;
  i64 at = 0;
  for (i64 s = 0; s < a.slices; s++) {
    const i64 width = a.keys[s].width;
    withCacheType(plainType(a.keys[s].dtype), [&](auto row) {
      typedef decltype(row) Row;
      for (i64 i = 0; i < count; i++) {
        toWords<N, Row>(block.keys + i * block.words + at, (const typename Row::Type*)rows.keys[s][k + i], width);
      }
    });
    at += wordsOf<N>(width);
  }
  return 0;
}

// The vectors of the span to come, fetched from memory a few keys at a time while this one is computed.
struct Ahead {
  const Block& block;
  const i64 start, end, keysEach;
  i64 key = 0, parts = 0;
  const char* first[MAX_KEY_SLICES + 1];
  i64 stride[MAX_KEY_SLICES + 1], bytes[MAX_KEY_SLICES + 1];

  // In about so many calls of `some`.
  INLINE Ahead(const Block& block, i64 start, i64 calls)
      : block(block), start(start), end(least(SPAN, block.sequence->keyEnd() - start)), keysEach(ceilDiv(SPAN, calls)) {}

  INLINE void add(const Slice& slice) {
    if (slice.blockTokens % TILE) return;
    first[parts] = slice.row(*block.sequence, start + key) + block.vectorOf(slice, block.firstHead);
    stride[parts] = slice.rowBytes;
    bytes[parts++] = slice.bytes();
  }
  INLINE void some() {
    for (const i64 last = least(end, key + keysEach); key < last; key++) {
      if (key % TILE == 0) {
        const Attention& a = *block.attention;
        parts = 0;
        for (i64 s = 0; s < a.slices; s++) add(a.keys[s]);
        if (!a.valuesAmongKeys()) add(a.values);
      }
      for (i64 p = 0; p < parts; p++) {
        const char* at = first[p] + key % TILE * stride[p];
        for (i64 b = 0; b < bytes[p]; b += LINE_BYTES) fetchLine(at + b);
      }
    }
  }
};

// Words of keys from a tile of a span on.
template <class N> INLINE float* panelsAt(const Block& block, i64 tile) {
  return block.panels + tile * (TILE / N::PER_WORD) * PANEL_COLUMNS;
}
template <class N> INLINE constexpr i64 panelWords() { return SPAN / N::PER_WORD; }

// Scores of all rows in a tile; and its values laid, while they are near.
template <class N> static INLINE void openTile(Block& block, i64 start, i64 tile, Ahead& ahead) {
  const Attention& a = *block.attention;
  TileRows rows;
  for (i64 s = 0; s < a.slices; s++) findKeys(block, a.keys[s], block.firstHead, start, block.any[tile], rows.keys[s]);
  findKeys(block, a.values, block.firstHead, start, block.any[tile], rows.values);
  // Few rows read a key once: then it stays in the first cache until its values are laid.
  const i64 each = block.rows <= SCORE_TILE_ROWS ? most<i64>(LANES, SCORE_SUMS) : TILE;
  const float* keys[TILE];
  for (i64 k = 0; k < TILE; k += each) {
    openScaled(block, rows, k, each);
    const i64 apart = openKeys<N>(block, rows, k, each, keys);
    for (i64 r = 0; r < block.rows; r += SCORE_TILE_ROWS) {
      scoreRows<N>(block.scores + r * SPAN + tile * TILE + k, SPAN, block.rows - r, block.byKey,
                   block.queries + r * block.words, keys, each, r == 0 ? apart : 0, block.words, Fetch{}, [&] { ahead.some(); });
    }
    withCacheType(plainType(a.values.dtype), [&](auto row) {
      layValues<N, decltype(row)>(panelsAt<N>(block, tile) + k / N::PER_WORD * PANEL_COLUMNS, panelWords<N>(),
                                  rows.values + k, each / N::PER_WORD, a.V);
    });
  }
}

// Copies a row's scores of a tile to the tensor that captures them.
static INLINE void captureScores(const Block& block, i64 r, i64 tile, i64 spanStart) {
  const Attention& a = *block.attention;
  float* to = a.scores + block.headOf(r) * a.scoresH + block.tokenOf(r) * a.scoresT;
  eachRun(block.seen[r][tile], [&](i64 lo, i64 hi) {
    for (i64 k = lo; k < hi; k++) {
      const i64 column = spanStart + tile * TILE + k - a.scoresStart;
      if (column >= 0 && column < a.scoresWidth) to[column] = block.scores[r * SPAN + tile * TILE + k];
    }
  });
}

// Scales a row's scores in some tiles of a span, turns them into exponentials and writes its maximum and their sum. Keys
// that are masked, or whose score is -inf, are not seen. NaN passes through the sum.
template <class N> static INLINE void exponentials(Block& block, i64 r, i64 spanStart, Tiles tiles) {
  constexpr int VECTORS = TILE / LANES;
  float* scores = block.scores + r * SPAN;
  F highest = set1(-INFINITY_F32), lowest = set1(INFINITY_F32);
  for (i64 t = tiles.lo; t < tiles.hi; t++) {
    const KeySet seen = block.seen[r][t];
    float* at = scores + t * TILE;
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; v++) {
      F s = load(at + v * LANES) * block.attention->scale;
      if (~seen) s = lanesOf((uint32_t)(seen >> v * LANES)) ? s : set1(-INFINITY_F32);
      highest = larger(highest, s);
      lowest = smaller(lowest, s);
      store(at + v * LANES, s);
    }
    if (block.attention->scores) captureScores(block, r, t, spanStart);
  }
  const float found = largestOf(highest);
  bool any = true;
  if (signBits(lowest == -INFINITY_F32)) {
    any = false;
    for (i64 t = tiles.lo; t < tiles.hi; t++) {
      KeySet seen = 0;
      for (int v = 0; v < VECTORS; v++) {
        seen |= (KeySet)signBits(load(scores + t * TILE + v * LANES) != -INFINITY_F32) << v * LANES;
      }
      block.seen[r][t] = seen;
      any |= seen != 0;
    }
  }
  // Nothing but NaN is found as -inf.
  const float max = !any ? -INFINITY_F32 : found == -INFINITY_F32 ? __builtin_nanf("") : found;
  const i64 n = (tiles.hi - tiles.lo) * TILE;
  scores += tiles.lo * TILE;
  for (i64 k = 0; k < n; k += LANES) store(scores + k, any ? exponentialBelow(load(scores + k) - max) : F{});
  block.max[r] = max;
  block.sum[r] = sum(N::weights(scores, n));
}

// The weighted sums of values of rows r0 .. r1 over some tiles of a span.
template <class N> static INLINE void weighValues(Block& block, i64 r0, i64 r1, Tiles tiles, Ahead& ahead) {
  const Attention& a = *block.attention;
  const i64 n = (tiles.hi - tiles.lo) * (TILE / N::PER_WORD);
  const float* panel = panelsAt<N>(block, tiles.lo);
  for (i64 c = 0; c < a.V; c += PANEL_COLUMNS, panel += panelWords<N>() * PANEL_COLUMNS) {
    panelProduct<N>([&](i64 r) { return block.out[r0 + r] + c; },
                    [&](i64 r) { return block.scores + (r0 + r) * SPAN + tiles.lo * TILE; }, r1 - r0, panel, n,
                    least(PANEL_COLUMNS, a.paddedV() - c), [&] { ahead.some(); });
  }
}

// Whether all values laid are finite.
template <class N> static INLINE bool finiteValues(const Block& block, Tiles tiles) {
  const Attention& a = *block.attention;
  const float* panel = panelsAt<N>(block, tiles.lo);
  for (i64 c = 0; c < a.V; c += PANEL_COLUMNS, panel += panelWords<N>() * PANEL_COLUMNS) {
    const i64 columns = least(PANEL_COLUMNS, a.paddedV() - c);
    if (!allFinite<N>(panel, (tiles.hi - tiles.lo) * (TILE / N::PER_WORD), columns)) return false;
  }
  return true;
}

// Lays zeros for the values that a row does not see.
template <class N> static INLINE void openSeenValues(Block& block, i64 r, i64 start, i64 tile) {
  const Attention& a = *block.attention;
  const char* rows[TILE];
  findKeys(block, a.values, block.firstHead, start, block.seen[r][tile], rows);
  if (isScaled(a.values.dtype)) openVectors(block.plain, a.values, rows, TILE);
  withCacheType(plainType(a.values.dtype), [&](auto row) {
    layValues<N, decltype(row)>(panelsAt<N>(block, tile), panelWords<N>(), rows, TILE / N::PER_WORD, a.V);
  });
}

// The block's state after one span; `next`: the span that this thread is likely to run then.
template <class N> static INLINE void runSpan(Block& block, i64 span, i64 next) {
  const Attention& a = *block.attention;
  const Sequence& sequence = *block.sequence;
  const i64 start = span * SPAN;
  i64 r0 = block.rows, r1 = 0;
  Tiles tiles = {SPAN_TILES, 0};
  for (i64 t = 0; t < SPAN_TILES; t++) block.any[t] = 0;
  // The rows of a query, its heads, see the same.
  for (i64 r = 0; r < block.rows; r += block.heads) {
    const Visible visible(a, sequence, sequence.position + block.queryOf(r));
    for (i64 t = 0; t < SPAN_TILES; t++) {
      const KeySet seen = keysOf(visible.sink, start + t * TILE) | keysOf(visible.near, start + t * TILE);
      for (i64 h = 0; h < block.heads; h++) block.seen[r + h][t] = seen;
      if (!seen) continue;
      block.any[t] |= seen;
      tiles = {least(tiles.lo, t), most(tiles.hi, t + 1)};
      r0 = least(r0, r);
      r1 = r + block.heads;
    }
  }
  for (i64 r = 0; r < block.rows; r++) block.max[r] = -INFINITY_F32;
  if (tiles.empty()) return;
  const i64 calls = (tiles.hi - tiles.lo) * (TILE / SCORE_SUMS * scoreVectors(block.rows)) * ceilDiv(block.rows, SCORE_TILE_ROWS) +
                    ceilDiv(a.V, PANEL_COLUMNS) * ceilDiv(r1 - r0, PANEL_MR);
  Ahead ahead(block, next * SPAN, calls);
  for (i64 t = tiles.lo; t < tiles.hi; t++) openTile<N>(block, start + t * TILE, t, ahead);
  bool alike = true;
  for (i64 r = r0; r < r1; r++) {
    exponentials<N>(block, r, start, tiles);
    for (i64 t = tiles.lo; t < tiles.hi; t++) alike &= block.seen[r][t] == block.any[t];
  }
  if (alike || finiteValues<N>(block, tiles)) return weighValues<N>(block, r0, r1, tiles, ahead);
  // What a row does not see weighs 0; but 0 times NaN or infinity is not 0.
  for (i64 r = r0; r < r1; r++) {
    for (i64 t = tiles.lo; t < tiles.hi; t++) openSeenValues<N>(block, r, start + t * TILE, t);
    weighValues<N>(block, r, r + 1, tiles, ahead);
  }
}

// Takes the state of one more span, of n padded numbers, into a row's total.
static INLINE void mergeState(float& max, float& sum, float* out, float spanMax, float spanSum, const float* spanOut,
                              i64 n) {
  if (spanMax == -INFINITY_F32) return;
  if (max == -INFINITY_F32) {
    max = spanMax;
    sum = spanSum;
    for (i64 c = 0; c < n; c += LANES) store(out + c, load(spanOut + c));
    return;
  }
  const float both = maxNan(max, spanMax);
  const float a = exponentialOf(max - both), b = exponentialOf(spanMax - both);
  max = both;
  sum = sum * a + spanSum * b;
  for (i64 c = 0; c < n; c += LANES) store(out + c, fma(load(spanOut + c), set1(b), load(out + c) * a));
}

// A row's state before any span: empty, or of the keys whose result `out` and `lse` hold already.
static INLINE void openTotal(const Attention& a, i64 t, i64 h, float& max, float& sum, float* out) {
  max = a.carry ? a.lse[t * a.H + h] : -INFINITY_F32;
  sum = 1;
  if (max == -INFINITY_F32) return;
  const float* held = a.out + t * a.outT + h * a.outH;
  for (i64 c = 0; c < a.V; c += LANES) store(out + c, loadPart(held + c, (int)least<i64>(LANES, a.V - c)));
}

// Writes a row's result from its total.
static INLINE void finishRow(const Attention& a, i64 t, i64 h, float max, float sum, const float* out) {
  double lse = -__builtin_inf();
  float factor = 0;
  if (a.sinkLogits && max == -INFINITY_F32) {
    lse = a.sinkLogits[h];
  } else if (max != -INFINITY_F32) {
    double total = sum, most = max;
    factor = 1;
    if (a.sinkLogits) {
      most = maxNan(max, a.sinkLogits[h]);
      factor = exponentialOf((float)(max - most));
      total = total * factor + exp64(a.sinkLogits[h] - most);
    }
    factor = (float)(factor / total);
    if (a.lse) lse = most + log64(total);
  }
  float* to = a.out + t * a.outT + h * a.outH;
  for (i64 c = 0; c < a.V; c += LANES) {
    storePart(to + c, factor == 0 ? F{} : load(out + c) * factor, (int)least<i64>(LANES, a.V - c));
  }
  if (a.lse) a.lse[t * a.H + h] = (float)lse;
}
