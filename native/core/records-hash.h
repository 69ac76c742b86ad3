// What the records look like, as a number: an addon of other records is refused.
// Written by `npm run build:records` from src/kernels/operations. Do not edit.
#pragma once

#define LATENTKIT_RECORDS "5ddd1ae99ff2a343"
