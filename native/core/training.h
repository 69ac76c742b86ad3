// Which operations only training records.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once
#include "opcodes.h"

namespace latentkit {

constexpr int TRAINING_OPERATIONS[] = {
    OP_scatterRows,
    OP_sumRows,
    OP_normBackward,
    OP_normWeightBackward,
    OP_matmulBackward,
    OP_trainingMatmul,
    OP_weightBackward,
    OP_activateBackward,
    OP_gateBackward,
    OP_ropeBackward,
    OP_attentionBackward,
    OP_sumHeads,
    OP_trainingAttention,
    OP_combineExpertsBackward,
    OP_expertMatmulBackward,
    OP_expertWeightBackward,
    OP_routeBackward,
    OP_trainingExpertMatmul,
    OP_adamW,
    OP_crossEntropy,
    OP_divergence,
    OP_relativeError,
    OP_sumSquares,
};

constexpr bool isForTraining(int code) {
  for (int one : TRAINING_OPERATIONS) {
    if (one == code) return true;
  }
  return false;
}

}  // namespace latentkit
