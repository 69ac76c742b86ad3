#define LATENTKIT_SET_WASM
#include "../ops/table.h"
