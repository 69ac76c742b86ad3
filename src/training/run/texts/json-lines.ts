import { LatentkitError } from '../../../errors.ts'
import { TrainingError } from '../errors.ts'

export type JsonLine = Readonly<Record<string, unknown>>

/**
 * The object of one line of a file, as `read` understands it; null: the line is blank. `read` gives undefined for what is not of the kind
 * that was `expected`. Throws TrainingError, naming the line, also for errors of ours that `read` throws.
 */
export function readLine<T>(
  where: string,
  line: string,
  expected: string,
  read: (value: JsonLine) => T | undefined,
): T | null {
  if (line.trim() === '') return null
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new TrainingError(`${where} is no JSON`)
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  try {
    const found = isObject ? read(value as JsonLine) : undefined
    if (found !== undefined) return found
  } catch (error) {
    if (!(error instanceof LatentkitError)) throw error
    throw new TrainingError(`${where}: ${error.message}`, { cause: error })
  }
  throw new TrainingError(`${where} has no ${expected}`)
}
