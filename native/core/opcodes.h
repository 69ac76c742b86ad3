// Every operation of the command list, in the order of the codes. `src/kernels/core/codes.ts` has the same names in
// the same order; a test compares the two.
#pragma once

#define LATENTKIT_OPERATIONS(OP) \
  OP(embed)                      \
  OP(gatherRows)                 \
  OP(copy)                       \
  OP(axpby)                      \
  OP(rmsNorm)                    \
  OP(layerNorm)                  \
  OP(matmul)                     \
  OP(headMatmul)                 \
  OP(activate)                   \
  OP(gate)                       \
  OP(ropeTable)                  \
  OP(rope)                       \
  OP(cacheWrite)                 \
  OP(cacheRead)                  \
  OP(attention)                  \
  OP(probabilities)              \
  OP(route)                      \
  OP(groupByExpert)              \
  OP(expertMatmul)               \
  OP(combineExperts)             \
  OP(transpose)                  \
  OP(addToVector)                \
  OP(pack)

namespace latentkit {

enum Opcode : int {
#define LATENTKIT_CODE(name) OP_##name,
  LATENTKIT_OPERATIONS(LATENTKIT_CODE)
#undef LATENTKIT_CODE
      OPCODES
};

}  // namespace latentkit
