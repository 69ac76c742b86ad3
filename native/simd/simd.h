// The vector operations of this translation unit's instruction set (set.h). required.h lists them.
#pragma once
#include "set.h"

#if defined(LATENTKIT_SET_AVX512BF16) || defined(LATENTKIT_SET_AVX512)
#include "avx512.h"
#elif defined(LATENTKIT_SET_AVX2)
#include "avx2.h"
#elif defined(LATENTKIT_SET_NEON)
#include "neon.h"
#elif defined(LATENTKIT_SET_WASM)
#include "wasm.h"
#else
#include "portable.h"
#endif

#include "functions.h"
#include "required.h"
