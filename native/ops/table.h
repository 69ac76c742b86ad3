// The operations of one instruction set, in the order of the codes.

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
    LATENTKIT_NO_SCRATCH(softmax),
    LATENTKIT_NO_SCRATCH(ropeTable),
    LATENTKIT_NO_SCRATCH(rope),
    LATENTKIT_NO_SCRATCH(cacheWrite),
    LATENTKIT_NO_SCRATCH(cacheRead),
    {attention, attentionScratch, attentionShared, attentionWork},
    {mergeAttention, mergeAttentionScratch, nullptr, nullptr},
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
