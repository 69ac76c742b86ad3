import { printable } from '../printable.ts'

/** Text from a file, made safe for a message: quoted, at most `limit` characters, one line, no terminal controls. */
export function quote(text: string, limit = 200): string {
  const short = text.length > limit ? `${text.slice(0, limit)}…` : text
  // JSON escapes the control characters below 0x20 only.
  return printable(JSON.stringify(short))
}

/** The first `limit` names in quotes, then the number of the others. */
export function listed(names: readonly string[], limit = 3): string {
  const shown = names.slice(0, limit).map(name => quote(name))
  const more = names.length > limit ? ` and ${names.length - limit} more` : ''
  return shown.join(', ') + more
}
