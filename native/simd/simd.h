// The vector operations of this translation unit's instruction set (set.h). required.h lists them.
#pragma once
#include "set.h"

#include LATENTKIT_SIMD

#include "functions.h"
#include "required.h"
