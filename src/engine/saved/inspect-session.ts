import { LatentkitError } from '../../errors.ts'
import type { SealedFiles } from '../types/platform.ts'
import { damaged, openSession } from './open-session.ts'

/** Result of `inspectSession`: the header of a session's file. */
export interface SessionInspection {
  /** Name of the model that the session belongs to. */
  readonly model: string
  /** Time of `save`. */
  readonly savedAt: Date
  /** Tokens of the history. */
  readonly tokens: number
  /** Tokens that have cached rows in the file; 0 if saved without `rows`. */
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
