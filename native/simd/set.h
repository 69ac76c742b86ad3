// Which instruction set this translation unit is for: its name, which is also the namespace of everything that is compiled
// for it, and the number of floats in a vector. Each file of ../isa defines one of the names below before it includes
// anything. Where none is defined, as in an editor that opens a header, it is the portable set.
#pragma once

#if defined(LATENTKIT_SET_AVX512BF16)
#define LATENTKIT_ISA avx512bf16
#elif defined(LATENTKIT_SET_AVX512)
#define LATENTKIT_ISA avx512
#elif defined(LATENTKIT_SET_AVX2)
#define LATENTKIT_ISA avx2
#elif defined(LATENTKIT_SET_NEON)
#define LATENTKIT_ISA neon
#elif defined(LATENTKIT_SET_WASM)
#define LATENTKIT_ISA wasm
#else
#define LATENTKIT_SET_PORTABLE
#define LATENTKIT_ISA portable
#endif

namespace latentkit::LATENTKIT_ISA {

#if defined(LATENTKIT_SET_AVX512BF16) || defined(LATENTKIT_SET_AVX512)
constexpr int LANES = 16;
#elif defined(LATENTKIT_SET_AVX2)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

}  // namespace latentkit::LATENTKIT_ISA
