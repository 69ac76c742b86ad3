// The operations of one instruction set, in the order of the opcodes.
#pragma once
#include "../core/context.h"
#include "../core/opcodes.h"
#include "../core/training.h"
#include "../simd/simd.h"
#include "kernels.h"
// Behind the kernels, since it looks for the functions beside them.
#include "operation-of.h"

namespace latentkit::LATENTKIT_ISA {

// The build may leave training out: then its rows have no kernel, and nothing of theirs is compiled.
#ifdef LATENTKIT_WITHOUT_TRAINING
constexpr bool TRAINS = false;
#else
constexpr bool TRAINS = true;
#endif

#define LATENTKIT_ROW(kernel, Record) TRAINS || !isForTraining(OP_##kernel) ? operationOf<Record, kernel>() : Operation{},
static const Operation OPERATIONS[OPCODES] = {LATENTKIT_OPERATIONS(LATENTKIT_ROW)};
#undef LATENTKIT_ROW

const Operation* operations() { return OPERATIONS; }

}  // namespace latentkit::LATENTKIT_ISA
