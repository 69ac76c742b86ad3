// All operations for one instruction set, which the build names (simd/set.h).
#include "ops/table.h"
