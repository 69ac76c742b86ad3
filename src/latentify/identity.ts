/** What statistics depend on: files as they are now, and how much is read. */
import { stat } from 'node:fs/promises'
import type { SourceModel } from '../conversion/source-model.ts'
import { type TextOption, unreadable } from './text.ts'

export interface Reading {
  /** Path of the text. */
  readonly calibrate: string
  readonly calibrationTokens: number
  /** Windows that are held back. */
  readonly held: number
}

/** `reading` null: no text is read. */
export async function identityOf({ weights }: SourceModel, reading: Reading | null): Promise<object> {
  const sources = new Set(weights.map(({ bytes }) => bytes.source))
  const files = [...sources].map(({ path, name, size, modified }) => [path ?? name, size, String(modified)])
  if (!reading) return { files }
  const { calibrate, calibrationTokens, held } = reading
  return { files, text: await identityOfText(calibrate, 'calibrate'), calibrationTokens, held }
}

/** `option`: that names it, for messages. */
export async function identityOfText(path: string, option: TextOption): Promise<readonly unknown[]> {
  const { size, mtimeMs } = await stat(path).catch(error => unreadable(path, error, option))
  return [path, size, mtimeMs]
}
