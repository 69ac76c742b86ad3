// Where the keys and values of a tile lie, as pointers.
#pragma once
#include "../../simd/simd.h"
#include "../cache/scaled-vectors.h"
#include "../cache/slice.h"
#include "../rows/row-types.h"
#include "block.h"
#include "record.h"
#include "scores.h"
#include "visible.h"

namespace latentkit::LATENTKIT_ISA {

// Finds a head's vectors of a slice in the tile that begins at key `start`; of keys that are not among `keys`, zeros.
static INLINE void findKeys(const Block& block, const SliceRecord& slice, i64 head, i64 start, KeySet keys, const char** rows) {
  const Sequence& sequence = *block.sequence;
  const i64 vector = block.vectorOf(slice, head);
  if (block.attention->gather) {
    const int32_t* list = chosenKeys(*block.attention, sequence, block.firstQuery).positions + start;
    eachRun(keys, [&](i64 lo, i64 hi) {
      for (i64 k = lo; k < hi; k++) rows[k] = rowOf(slice, sequence, list[k]) + vector;
    });
  } else if (keys && (slice.blockTokens == 0 || slice.blockTokens % TILE == 0)) {
    const char* first = rowOf(slice, sequence, start) + vector;
    for (i64 k = 0; k < TILE; k++) rows[k] = first + k * slice.rowBytes;
  } else {
    eachRun(keys, [&](i64 lo, i64 hi) {
      for (i64 k = lo; k < hi; k++) rows[k] = rowOf(slice, sequence, start + k) + vector;
    });
  }
  eachRun(~keys, [&](i64 lo, i64 hi) {
    for (i64 k = lo; k < hi; k++) rows[k] = block.zeros;
  });
}

// Where the vectors of a tile lie.
struct TileRows {
  const char* keys[MAX_SLICES][TILE];
  const char* values[TILE];
};

// The type in which values of `dtype` are multiplied: those with scales are converted to f32 first.
INLINE Dtype plainType(Dtype dtype) { return isScaled(dtype) ? F32 : dtype; }

// Converts vectors with scales to f32 and makes `vectors` point at the result; returns the end of what it wrote.
static INLINE float* dequantiseVectors(float* to, const SliceRecord& slice, const char** vectors, i64 count) {
  for (i64 i = 0; i < count; i++, to += slice.width) {
    scaledToFloats(to, vectors[i], slice.dtype, slice.width);
    vectors[i] = (const char*)to;
  }
  return to;
}

// The same for all vectors with scales of keys k .. k + count of a tile.
static INLINE void dequantiseTile(const Block& block, TileRows& rows, i64 k, i64 count) {
  const Attention& a = *block.attention;
  float* to = block.plain;
  bool known = false;
  for (i64 s = 0; s < a.keysCount; s++) {
    const SliceRecord& slice = a.keys[s];
    if (!isScaled(slice.dtype)) continue;
    to = dequantiseVectors(to, slice, rows.keys[s] + k, count);
    if (!a.beginsAs(slice)) continue;
    for (i64 i = k; i < k + count; i++) rows.values[i] = rows.keys[s][i];
    known = true;
  }
  if (isScaled(a.values.dtype) && !known) dequantiseVectors(to, a.values, rows.values + k, count);
}

// Fills `words` with pointers to the words of keys k .. k + count of a tile: into the cache if its type is what is
// multiplied, else into a converted copy. Returns how far apart neighbouring keys are in the cache; 0 for a copy.
template <class N> static INLINE i64 keyPointers(const Block& block, const TileRows& rows, i64 k, i64 count, const float** words) {
  const Attention& a = *block.attention;
  const SliceRecord& only = a.keys[0];
  if (a.keysCount == 1 && only.dtype == (N::PER_WORD == 2 ? BF16 : F32) && only.width % (LANES * N::PER_WORD) == 0) {
    for (i64 i = 0; i < count; i++) words[i] = (const float*)rows.keys[0][k + i];
    return only.rowBytes / 4;
  }
  float* to = block.keys;
  for (i64 i = 0; i < count; i++, to += block.words) words[i] = to;
  i64 at = 0;
  for (i64 s = 0; s < a.keysCount; s++) {
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

}  // namespace latentkit::LATENTKIT_ISA
