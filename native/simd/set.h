// Which instruction set this translation unit is for: its name, which is also the namespace of everything that is compiled
// for it, the number of floats in a vector, and the header here that has its vector operations. The build
// defines them for each unit. Where they are not defined, as in an editor that opens a header, it is the portable set.
#pragma once

#ifndef LATENTKIT_ISA
#define LATENTKIT_ISA portable
#define LATENTKIT_LANES 4
#endif
#ifndef LATENTKIT_SIMD
#define LATENTKIT_SIMD "portable.h"
#endif

namespace latentkit::LATENTKIT_ISA {

constexpr int LANES = LATENTKIT_LANES;

}  // namespace latentkit::LATENTKIT_ISA
