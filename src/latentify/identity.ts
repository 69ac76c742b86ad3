/** What statistics depend on: files as they are now, and how much is read. */
import { stat } from 'node:fs/promises'
import type { SourceModel } from '../conversion/source-model.ts'
import { unreadable } from './text.ts'

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
  const { size, mtimeMs } = await stat(calibrate).catch(error => unreadable(calibrate, error))
  return { files, text: [calibrate, size, mtimeMs], calibrationTokens, held }
}
