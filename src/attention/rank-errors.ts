import { OptionError } from '../errors.ts'
import { checkedMatrix } from '../reading/spectrum.ts'
import { gram, lossByRank, symmetricEigen } from '../reading/svd.ts'

/**
 * What a smaller rank loses of a matrix X [rows, columns], given row by row: errors[r] = |X - X_r| / |X| (Frobenius), X_r the nearest matrix of rank r (Eckart and Young); 1 for r = 0,
 * 0 at the end. Throws OptionError for numbers that are no such matrix, or one whose smaller side is above 2,048.
 */
export async function rankErrors(numbers: ArrayLike<number>, rows: number): Promise<Float64Array> {
  const cols = numbers.length / rows
  if (!Number.isInteger(rows) || rows < 1 || !Number.isInteger(cols) || cols < 1) {
    throw new OptionError(
      `numbers has ${numbers.length} and rows is ${rows}; expected as many in each row, at least one`,
    )
  }
  const values = Float32Array.from(numbers)
  if (!values.every(Number.isFinite)) throw new OptionError('numbers has one that is not finite; expected finite ones')
  const { n, matrix } = await gram(checkedMatrix({ rows, cols, values }), noPause)
  return lossByRank(await symmetricEigen(n, matrix, noPause))
}

async function noPause(): Promise<void> {}
