// How each packed type lies in memory: the arguments of its Format (formats.h), which src/quant/packed.ts states.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once

#define LATENTKIT_PACKED_FORMATS(FORMAT) \
  FORMAT(Q8_0, 8, 0, 32, 128, HALVES, NO_TABLE) \
  FORMAT(Q4_0, 4, 0, 32, 8, HALVES, NO_TABLE) \
  FORMAT(Q4_1, 4, 0, 32, 0, HALVES_AND_MINS, NO_TABLE) \
  FORMAT(Q5_0, 4, 1, 32, 16, HALVES, NO_TABLE) \
  FORMAT(Q5_1, 4, 1, 32, 0, HALVES_AND_MINS, NO_TABLE) \
  FORMAT(Q2_K, 2, 0, 16, 0, SUPER_AND_NIBBLES, NO_TABLE) \
  FORMAT(Q3_K, 2, 1, 16, 4, SUPER_SCALES, NO_TABLE) \
  FORMAT(Q4_K, 4, 0, 32, 0, SUPER_AND_MINS, NO_TABLE) \
  FORMAT(Q5_K, 4, 1, 32, 0, SUPER_AND_MINS, NO_TABLE) \
  FORMAT(Q6_K, 4, 2, 16, 32, SUPER_SCALES, NO_TABLE) \
  FORMAT(IQ4_NL, 4, 0, 32, 128, HALVES, IQ4_TABLE) \
  FORMAT(IQ4_XS, 4, 0, 32, 128, SUPER_SCALES, IQ4_TABLE) \
  FORMAT(MXFP4, 4, 0, 32, 12, EXPONENTS, E2M1_TABLE) \
  FORMAT(Q1_0, 2, 0, 32, 1, HALVES, NO_TABLE) \
  FORMAT(Q2_0, 2, 0, 32, 1, HALVES, NO_TABLE)
