// Which operations only training records.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once
#include "opcodes.h"

namespace latentkit {

constexpr bool isForTraining(int code) {
  switch (code) {
    case OP_scatterRows:
    case OP_sumRows:
    case OP_normBackward:
    case OP_normWeightBackward:
    case OP_matmulBackward:
    case OP_trainingMatmul:
    case OP_weightBackward:
    case OP_activateBackward:
    case OP_gateBackward:
    case OP_ropeBackward:
    case OP_attentionBackward:
    case OP_sumHeads:
    case OP_trainingAttention:
    case OP_combineExpertsBackward:
    case OP_expertMatmulBackward:
    case OP_expertWeightBackward:
    case OP_routeBackward:
    case OP_trainingExpertMatmul:
    case OP_adamW:
    case OP_crossEntropy:
    case OP_sumSquares:
      return true;
    default:
      return false;
  }
}

}  // namespace latentkit
