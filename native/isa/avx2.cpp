#define LATENTKIT_SET_AVX2
#include "../ops/table.h"
