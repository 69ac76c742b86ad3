// The operations of one instruction set, in the order of the codes.
#pragma once
#include "../core/context.h"
#include "../core/opcodes.h"
#include "../simd/simd.h"
#include "attention/attention.h"
#include "attention/probabilities.h"
#include "cache/read-write.h"
#include "elementwise/activate.h"
#include "elementwise/axpby.h"
#include "elementwise/copy.h"
#include "elementwise/gate.h"
#include "elementwise/norms.h"
#include "elementwise/rope.h"
#include "experts/combine.h"
#include "experts/expert-matmul.h"
#include "experts/group.h"
#include "experts/route.h"
#include "product/head-matmul.h"
#include "product/matmul.h"
#include "quant/pack.h"
#include "rows/embed.h"
#include "rows/gather.h"
#include "rows/prepare.h"

namespace latentkit::LATENTKIT_ISA {

#define LATENTKIT_NO_SCRATCH(name) {name, nullptr, nullptr, nullptr}

static const Operation OPERATIONS[OPCODES] = {
    LATENTKIT_NO_SCRATCH(embed),
    LATENTKIT_NO_SCRATCH(gatherRows),
    LATENTKIT_NO_SCRATCH(copy),
    LATENTKIT_NO_SCRATCH(axpby),
    LATENTKIT_NO_SCRATCH(rmsNorm),
    LATENTKIT_NO_SCRATCH(layerNorm),
    {matmul, matmulScratch, matmulShared, nullptr},
    {headMatmul, headMatmulScratch, headMatmulShared, nullptr},
    LATENTKIT_NO_SCRATCH(activate),
    LATENTKIT_NO_SCRATCH(gate),
    LATENTKIT_NO_SCRATCH(ropeTable),
    LATENTKIT_NO_SCRATCH(rope),
    LATENTKIT_NO_SCRATCH(cacheWrite),
    LATENTKIT_NO_SCRATCH(cacheRead),
    {attention, attentionScratch, attentionShared, attentionWork},
    LATENTKIT_NO_SCRATCH(probabilities),
    {route, routeScratch, nullptr, nullptr},
    LATENTKIT_NO_SCRATCH(groupByExpert),
    {expertMatmul, expertMatmulScratch, expertMatmulShared, nullptr},
    LATENTKIT_NO_SCRATCH(combineExperts),
    LATENTKIT_NO_SCRATCH(transpose),
    LATENTKIT_NO_SCRATCH(addToVector),
    LATENTKIT_NO_SCRATCH(pack),
};

#undef LATENTKIT_NO_SCRATCH

const Operation* operations() { return OPERATIONS; }

}  // namespace latentkit::LATENTKIT_ISA
