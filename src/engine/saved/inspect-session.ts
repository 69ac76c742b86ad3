import { LatentkitError } from '../../errors.ts'
import type { SealedFiles } from '../types/platform.ts'
import { damaged, openSession } from './open-session.ts'

/** What a session's file holds, without a model. */
export interface SessionInspection {
  /** What the model is called that it belongs to. */
  readonly model: string
  readonly savedAt: Date
  /** Of the history, and how many of them have rows in the file. */
  readonly tokens: number
  readonly rows: number
  /** Segments of a row with their types. */
  readonly rowTypes: string
  /** Tokens that the session may hold. */
  readonly contextLength: number
  /** What was given to `save`; null if nothing was. */
  readonly notes: unknown
}

/** Reads a session's file and checks it. Throws SessionFileError. */
export async function inspectSession(files: SealedFiles, path: string): Promise<SessionInspection> {
  const reader = await openSession(files, path)
  try {
    await reader.finish()
    const { model, savedAt, tokens, rows, identity, contextLength, notes } = reader.header
    return { model, savedAt: new Date(savedAt), tokens, rows, rowTypes: identity.rows, contextLength, notes }
  } catch (error) {
    throw error instanceof LatentkitError ? error : damaged(path, error)
  } finally {
    await reader.close()
  }
}
