import { list, number, object, parse, text } from '../wire/json.ts'
import { type AnswerTurn, type Conversation, newId, type Turn, UNTITLED } from './conversation.ts'
import { readSettings } from './settings.ts'

/** The format of exported files. */
const FORMAT = 'latentkit.conversations'
const VERSION = 1

export function exportText(conversations: readonly Conversation[]): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, conversations }, null, 2)}\n`
}

/** The conversations of an exported file, with new ids. @throws Error with a sentence for the reader. */
export function importText(source: string): Conversation[] {
  const file = object(parse(source))
  if (file.format !== FORMAT) throw new Error('This file was not exported from this page.')
  if (file.version !== VERSION) throw new Error(`This file has version ${file.version}; this page reads ${VERSION}.`)
  return list(file.conversations).map(value => ({ ...readConversation(value), id: newId() }))
}

/** A conversation of stored data: whatever is in it, the result has the right shape. */
export function readConversation(value: unknown): Conversation {
  const given = object(value)
  const turns = list(given.turns).flatMap(readTurn)
  const ids = new Set<string>()
  // A parent comes before its turns: so there is no cycle.
  const kept = turns.filter(turn => {
    const good = !ids.has(turn.id) && (turn.parent === null || ids.has(turn.parent))
    if (good) ids.add(turn.id)
    return good
  })
  const leaf = text(given.leaf)
  return {
    id: text(given.id) ?? newId(),
    title: text(given.title) ?? UNTITLED,
    named: given.named === true,
    changed: number(given.changed) ?? 0,
    turns: kept,
    leaf: leaf !== undefined && ids.has(leaf) ? leaf : (kept.at(-1)?.id ?? null),
    settings: readSettings(given.settings),
  }
}

function readTurn(value: unknown): Turn[] {
  const given = object(value)
  const id = text(given.id)
  if (id === undefined) return []
  const base = { id, parent: text(given.parent) ?? null }
  const content = text(given.text) ?? ''
  if (given.role === 'user') {
    const files = list(given.files).map(object)
    return [
      {
        ...base,
        role: 'user',
        text: content,
        files: files.map(f => ({ name: text(f.name) ?? '', text: text(f.text) ?? '' })),
      },
    ]
  }
  if (given.role === 'results') {
    const results = list(given.results).map(object)
    return [
      {
        ...base,
        role: 'results',
        results: results.map(r => ({ callId: text(r.callId) ?? '', text: text(r.text) ?? '' })),
      },
    ]
  }
  return given.role === 'answer' ? [{ ...base, ...readAnswer(given), text: content }] : []
}

function readAnswer(given: Record<string, unknown>): Omit<AnswerTurn, 'id' | 'parent' | 'text'> {
  const state = text(given.state)
  const failure = object(given.failure)
  const message = text(failure.message)
  const finish = text(given.finish)
  const numbers = (names: readonly string[], from: Record<string, unknown>) =>
    Object.fromEntries(names.flatMap(name => (number(from[name]) === undefined ? [] : [[name, number(from[name])]])))
  return {
    role: 'answer',
    model: text(given.model) ?? '',
    reasoning: text(given.reasoning) ?? '',
    calls: list(given.calls)
      .map(object)
      .map(call => ({ id: text(call.id) ?? '', name: text(call.name) ?? '', arguments: text(call.arguments) ?? '' })),
    // One that was arriving ended with its page.
    state: state === 'done' || state === 'failed' ? state : 'stopped',
    ...(finish === undefined ? {} : { finish }),
    ...(message === undefined ? {} : { failure: { kind: 'server', message } }),
    counts: numbers(['promptTokens', 'cachedTokens', 'answerTokens', 'reasoningTokens', 'rate'], object(given.counts)),
    ...numbers(['firstMs', 'totalMs', 'reasonedMs'], given),
  }
}
