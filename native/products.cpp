// A set that is another one, LATENTKIT_BASE, but for its products: only these are compiled for it.
#include "core/opcodes.h"
#include "ops/experts/expert-matmul-backward.h"
#include "ops/experts/expert-matmul.h"
#include "ops/experts/expert-weight-backward.h"
#include "ops/experts/training-expert-matmul.h"
#include "ops/product/head-matmul.h"
#include "ops/product/matmul-backward.h"
#include "ops/product/matmul.h"
#include "ops/product/training-matmul.h"
#include "ops/product/weight-backward.h"
// Behind the kernels, since it looks for the functions beside them.
#include "ops/operation-of.h"

namespace latentkit {

namespace LATENTKIT_BASE {
const Operation* operations();
}

namespace LATENTKIT_ISA {

enum State : int32_t { EMPTY, WRITING, WRITTEN };

static Operation all[OPCODES];

static void write() {
  for (int i = 0; i < OPCODES; i++) all[i] = LATENTKIT_BASE::operations()[i];
  all[OP_matmul] = operationOf<MatmulRecord, matmul>();
  all[OP_headMatmul] = operationOf<HeadMatmulRecord, headMatmul>();
  all[OP_expertMatmul] = operationOf<ExpertMatmulRecord, expertMatmul>();
  all[OP_trainingMatmul] = operationOf<TrainingMatmulRecord, trainingMatmul>();
  all[OP_matmulBackward] = operationOf<MatmulBackwardRecord, matmulBackward>();
  all[OP_weightBackward] = operationOf<WeightBackwardRecord, weightBackward>();
  all[OP_trainingExpertMatmul] = operationOf<TrainingExpertMatmulRecord, trainingExpertMatmul>();
  all[OP_expertMatmulBackward] = operationOf<ExpertMatmulBackwardRecord, expertMatmulBackward>();
  all[OP_expertWeightBackward] = operationOf<ExpertWeightBackwardRecord, expertWeightBackward>();
}

// Written by whoever comes first, and not before somebody asks, since the machine may not know this set.
const Operation* operations() {
  static int32_t state;
  int32_t empty = EMPTY;
  if (__atomic_compare_exchange_n(&state, &empty, WRITING, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    write();
    __atomic_store_n(&state, WRITTEN, __ATOMIC_RELEASE);
  }
  while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != WRITTEN) platform::pause();
  return all;
}

}  // namespace LATENTKIT_ISA
}  // namespace latentkit
