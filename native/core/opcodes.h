// Every operation and its record, in the order of the opcodes.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once
#include "records.h"

namespace latentkit {

#define LATENTKIT_OPERATIONS(OP) \
  OP(axpby, AxpbyRecord) \
  OP(copy, CopyRecord) \
  OP(embed, EmbedRecord) \
  OP(gatherRows, GatherRowsRecord) \
  OP(layerNorm, LayerNormRecord) \
  OP(rmsNorm, RmsNormRecord) \
  OP(headMatmul, HeadMatmulRecord) \
  OP(matmul, MatmulRecord) \
  OP(activate, ActivateRecord) \
  OP(gate, GateRecord) \
  OP(rope, RopeRecord) \
  OP(cacheRead, CacheReadRecord) \
  OP(cacheWrite, CacheWriteRecord) \
  OP(attention, AttentionRecord) \
  OP(probabilities, ProbabilitiesRecord) \
  OP(combineExperts, CombineExpertsRecord) \
  OP(expertMatmul, ExpertMatmulRecord) \
  OP(groupByExpert, GroupByExpertRecord) \
  OP(route, RouteRecord) \
  OP(addToVector, AddToVectorRecord) \
  OP(pack, PackRecord) \
  OP(packedSize, PackedSizeRecord) \
  OP(transpose, TransposeRecord)

enum Opcode : int {
#define LATENTKIT_CODE(name, record) OP_##name,
  LATENTKIT_OPERATIONS(LATENTKIT_CODE)
#undef LATENTKIT_CODE
      OPCODES
};

}  // namespace latentkit
