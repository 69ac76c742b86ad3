/** Text as HTML, as the filter `escape` of Jinja writes it. */
import type { Work } from '../work.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
}

export function escapeHtml(work: Work, text: string): string {
  work.walk(text.length)
  const escaped = text.replace(/[&<>'"]/g, found => ENTITIES[found]!)
  work.makeText(escaped.length)
  return escaped
}
