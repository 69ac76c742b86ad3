#include "../simd/wasm.h"
#include "../ops/all.inc"
