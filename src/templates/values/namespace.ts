import { Fault } from '../errors.ts'

/** Throws for a name that a namespace does not take. */
export function checkFieldName(name: string): void {
  if (!name.startsWith('_')) return
  throw new Fault(
    'SecurityError',
    `Chat templates cannot store underscore-prefixed attributes on a namespace, but got '${name.slice(0, 80)}'.`,
  )
}
