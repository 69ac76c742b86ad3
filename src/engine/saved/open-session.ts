import { SessionFileError } from '../types/errors.ts'
import type { SealedFiles } from '../types/platform.ts'
import { SessionReader } from './session-file.ts'

/** Throws SessionFileError. */
export async function openSession(files: SealedFiles, path: string): Promise<SessionReader> {
  try {
    return await SessionReader.open(files, path)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === undefined) throw damaged(path, error)
    throw new SessionFileError(`The session ${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

export function damaged(path: string, error: unknown): SessionFileError {
  const reason = error instanceof Error ? error.message : String(error)
  return new SessionFileError(`${path} is no session, or a damaged one: ${reason}.`, { cause: error })
}
