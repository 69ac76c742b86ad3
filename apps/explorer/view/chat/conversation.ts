/** A conversation: texts in turn, the user's first. `talk` in the address. */
import type { Message } from '../../../../src/browser.ts'

export type Said = readonly string[]

/** Empty for what is no conversation. */
export function saidOf(talk: string | undefined): Said {
  try {
    const value: unknown = JSON.parse(talk ?? '[]')
    return Array.isArray(value) && value.every(one => typeof one === 'string') ? value : []
  } catch {
    return []
  }
}

export function messagesOf(said: Said): Message[] {
  return said.map((content, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content }))
}

/** For a model without a chat template: one text, which goes on. What the user adds begins a new word. */
export function joined(said: Said): string {
  return said.reduce((text, next, i) => {
    const apart = i === 0 || i % 2 === 1 || /\s$/.test(text) || /^\s/.test(next)
    return text + (apart ? '' : ' ') + next
  }, '')
}
