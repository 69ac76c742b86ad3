#include "../simd/neon.h"
#include "../ops/all.inc"
