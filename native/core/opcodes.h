// Every operation and its record, in the order of the opcodes.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once
#include "records.h"

namespace latentkit {

#define LATENTKIT_OPERATIONS(OP) \
  OP(axpby, AxpbyRecord) \
  OP(copy, CopyRecord) \
  OP(embed, EmbedRecord) \
  OP(fill, FillRecord) \
  OP(gatherRows, GatherRowsRecord) \
  OP(scatterRows, ScatterRowsRecord) \
  OP(sumRows, SumRowsRecord) \
  OP(layerNorm, LayerNormRecord) \
  OP(normBackward, NormBackwardRecord) \
  OP(normWeightBackward, NormWeightBackwardRecord) \
  OP(rmsNorm, RmsNormRecord) \
  OP(headMatmul, HeadMatmulRecord) \
  OP(matmul, MatmulRecord) \
  OP(matmulBackward, MatmulBackwardRecord) \
  OP(trainingMatmul, TrainingMatmulRecord) \
  OP(weightBackward, WeightBackwardRecord) \
  OP(activate, ActivateRecord) \
  OP(activateBackward, ActivateBackwardRecord) \
  OP(clampedGate, ClampedGateRecord) \
  OP(gate, GateRecord) \
  OP(gateBackward, GateBackwardRecord) \
  OP(rope, RopeRecord) \
  OP(ropeBackward, RopeBackwardRecord) \
  OP(cacheRead, CacheReadRecord) \
  OP(cacheWrite, CacheWriteRecord) \
  OP(attention, AttentionRecord) \
  OP(attentionBackward, AttentionBackwardRecord) \
  OP(probabilities, ProbabilitiesRecord) \
  OP(sumHeads, SumHeadsRecord) \
  OP(trainingAttention, TrainingAttentionRecord) \
  OP(combineExperts, CombineExpertsRecord) \
  OP(combineExpertsBackward, CombineExpertsBackwardRecord) \
  OP(expertMatmul, ExpertMatmulRecord) \
  OP(expertMatmulBackward, ExpertMatmulBackwardRecord) \
  OP(expertWeightBackward, ExpertWeightBackwardRecord) \
  OP(groupByExpert, GroupByExpertRecord) \
  OP(route, RouteRecord) \
  OP(routeBackward, RouteBackwardRecord) \
  OP(trainingExpertMatmul, TrainingExpertMatmulRecord) \
  OP(adamW, AdamWRecord) \
  OP(crossEntropy, CrossEntropyRecord) \
  OP(divergence, DivergenceRecord) \
  OP(relativeError, RelativeErrorRecord) \
  OP(sumSquares, SumSquaresRecord) \
  OP(indexScores, IndexScoresRecord) \
  OP(selectKeys, SelectKeysRecord) \
  OP(decays, DecaysRecord) \
  OP(deltaRule, DeltaRuleRecord) \
  OP(shortConv, ShortConvRecord) \
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
