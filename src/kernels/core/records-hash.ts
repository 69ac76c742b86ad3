// Written by `npm run build:records` from src/kernels/operations. Do not edit.
/** What the records look like, as a number: an addon of other records is refused. */
export const RECORDS = '5ddd1ae99ff2a343'
