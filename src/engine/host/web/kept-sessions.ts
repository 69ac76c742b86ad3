/** Sessions that are kept in the browser: which there are, and their removal. In a page, too. */
import { inspectSession as inspect, type SessionInspection } from '../../saved/inspect-session.ts'
import { WEB_SESSIONS } from './sessions.ts'

/** A session that is kept in this browser for this origin. */
export interface KeptSession {
  /** As it was given to `session.save`. */
  readonly name: string
  /** Size of its file. */
  readonly bytes: number
  /** Time of `save`. */
  readonly savedAt: Date
}

/** What `session.save` has kept here, by name. Throws an Error where the browser keeps nothing. */
export async function listKeptSessions(): Promise<readonly KeptSession[]> {
  const files = await WEB_SESSIONS.list()
  return files.map(({ name, bytes, written }) => ({ name, bytes, savedAt: written }))
}

/** Removes a session. False if there is none of that name; throws what the browser does where it cannot. */
export function removeKeptSession(name: string): Promise<boolean> {
  return WEB_SESSIONS.remove(name)
}

/** Reads and checks a kept session, without a model. Throws SessionFileError. */
export function inspectSession(name: string): Promise<SessionInspection> {
  return inspect(WEB_SESSIONS, name)
}
