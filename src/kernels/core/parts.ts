import { OPERATION_NAMES } from '../operations/table.ts'

/** Work of a part, as records state it: some twenty milliseconds of a fast machine. With parts of 2^31 a long prompt takes 1 % longer, of 2^28 3 %. */
const PART_WORK = 2 ** 32

const MATMUL = OPERATION_NAMES.indexOf('matmul')
/** They may need the rows that the product before them has quantised, too. */
const OTHER_PRODUCTS = ['headMatmul', 'expertMatmul'].map(name => OPERATION_NAMES.indexOf(name))

/**
 * Where the parts of a list end. Between two the core's shared memory may be lost, with the rows that a product has quantised for the
 * next. A matmul after that quantises them anew: its record, which ends with that flag, is changed. Another product joins the
 * part that has quantised them.
 */
export function cutIntoParts(list: Float64Array, partWork = PART_WORK): number[] {
  const ends: number[] = []
  let work = 0
  /** How many parts end before the one that has quantised the rows of this product, where they are lost since; null: they are not. */
  let intact: number | null = null
  for (let at = 0; at < list.length; ) {
    const [code, size, own] = [list[at], list[at + 1], list[at + 2]] as [number, number, number]
    const flag = at + size - 1
    const others = OTHER_PRODUCTS.includes(code)
    const findsRows = (code === MATMUL || others) && list[flag] === 0
    if (!findsRows) intact = null
    if (work >= partWork && !(findsRows && others)) {
      if (findsRows) intact ??= ends.length
      ends.push(at)
      work = 0
    }
    if (findsRows && intact !== null) {
      if (others) {
        ends.length = intact
        intact = null
      } else list[flag] = 1 // A matmul of floats, which needs no such rows, ignores it.
    }
    work += own
    at += size
  }
  ends.push(list.length)
  return ends
}
