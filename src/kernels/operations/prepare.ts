/** What the core does to weights while they are loaded: operations of its own, which no model records. */
import type { PackedType } from '../../quant/packed.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Weight } from '../contract/weights.ts'
import { addressOf, count, dtype, operation, output, real, weight } from './fields.ts'

interface TransposeArgs {
  readonly to: number
  readonly from: number
  /** Of an element. */
  readonly bytes: number
  readonly rows: number
  readonly cols: number
  /** Stored rows (columns of `to`), the first one and how many. */
  readonly first: number
  readonly stored: number
}

/** Stored rows first .. + stored of a matrix [cols, rows] become columns of `to` [rows, cols]. */
export const transpose = operation({
  kernel: 'rows/prepare.h',
  record: {
    to: addressOf('u8', true),
    from: addressOf('u8', false),
    bytes: count,
    rows: count,
    cols: count,
    first: count,
    stored: count,
  },
  from: (args: TransposeArgs) => ({ work: args.bytes * args.rows * args.stored, ...args }),
})

/** to[i] = the matrix's i-th number + add. */
export const addToVector = operation({
  kernel: 'rows/prepare.h',
  record: { to: output('f32'), add: real, w: weight },
  from: (to: Tensor, add: number, w: Weight) => ({ work: w.rows * w.cols, to, add, w }),
})

interface PackArgs {
  readonly to: number
  readonly from: number
  readonly dtype: PackedType
  /** Of a row in the file. */
  readonly rowBytes: number
  readonly cols: number
  readonly firstTile: number
  readonly rows: number
}

/** Rows of a file's blocks into tiles, from `firstTile` on. */
export const pack = operation({
  kernel: 'quant/pack.h',
  record: {
    to: addressOf('u8', true),
    from: addressOf('u8', false),
    dtype,
    rowBytes: count,
    cols: count,
    firstTile: count,
    rows: count,
  },
  from: (args: PackArgs) => ({ work: args.rows * args.cols, ...args }),
})

/** to[0] = the bytes of a packed matrix: whoever allocates one asks who writes it. */
export const packedSize = operation({
  kernel: 'quant/pack.h',
  record: { to: output('f64'), dtype, rows: count, cols: count },
  from: (to: Tensor, dtype: PackedType, rows: number, cols: number) => ({ work: 0, to, dtype, rows, cols }),
})
