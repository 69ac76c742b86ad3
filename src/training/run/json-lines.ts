import { LatentkitError } from '../../errors.ts'
import { TrainingError } from './errors.ts'

/**
 * Calls `add` with each line of a file, an object; false: it is not of the kind that was `expected`. Throws TrainingError, naming the line,
 * also for errors of ours that `add` throws.
 */
export function readLines(
  file: string,
  content: string,
  expected: string,
  add: (line: Readonly<Record<string, unknown>>) => boolean,
): void {
  for (const [index, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue
    const where = `${file}, line ${index + 1}`
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      throw new TrainingError(`${where} is no JSON`)
    }
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    try {
      if (isObject && add(value as Readonly<Record<string, unknown>>)) continue
    } catch (error) {
      if (!(error instanceof LatentkitError)) throw error
      throw new TrainingError(`${where}: ${error.message}`, { cause: error })
    }
    throw new TrainingError(`${where} has no ${expected}`)
  }
}
