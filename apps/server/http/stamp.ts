/** What makes an answer on the wire one of its own. */
import { randomBytes } from 'node:crypto'

export const newId = (prefix: string): string => prefix + randomBytes(12).toString('hex')
/** Seconds since 1970. */
export const now = (): number => Math.floor(Date.now() / 1000)
