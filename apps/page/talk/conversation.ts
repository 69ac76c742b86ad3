import type { Counts } from '../wire/answer.ts'
import type { FailureKind } from '../wire/failure.ts'
import type { Settings } from './settings.ts'

/** A text file that goes with a message. */
export interface TextFile {
  name: string
  text: string
}

export interface Call {
  id: string
  name: string
  /** JSON, as the model wrote it: not complete while it arrives. */
  arguments: string
}

export interface CallResult {
  callId: string
  text: string
}

interface TurnBase {
  id: string
  /** The turn that this one follows; null begins the conversation. */
  parent: string | null
}

export interface UserTurn extends TurnBase {
  role: 'user'
  text: string
  files: TextFile[]
}

export interface AnswerTurn extends TurnBase {
  role: 'answer'
  model: string
  text: string
  reasoning: string
  calls: Call[]
  /** `arriving` while the server writes it; `stopped` by the user or with the page. */
  state: 'arriving' | 'done' | 'stopped' | 'failed'
  /** The server's finish_reason. */
  finish?: string
  failure?: { kind: FailureKind; message: string }
  counts: Counts
  /** Milliseconds from the request to the first piece, and to the end. */
  firstMs?: number
  totalMs?: number
  /** How long it reasoned, in milliseconds. */
  reasonedMs?: number
}

/** What the user gave as results of an answer's calls. */
export interface ResultsTurn extends TurnBase {
  role: 'results'
  results: CallResult[]
}

export type Turn = UserTurn | AnswerTurn | ResultsTurn

/**
 * A conversation is a tree: an edited message or another try is a sibling of the turn it replaces, and nothing is lost.
 * The turns from the root to `leaf` are the ones shown and sent. Values are never changed in place.
 */
export interface Conversation {
  id: string
  title: string
  /** The user named it: its first message does not. */
  named: boolean
  changed: number
  turns: readonly Turn[]
  leaf: string | null
  settings: Settings
}

/** What the list of conversations shows. */
export type Summary = Pick<Conversation, 'id' | 'title' | 'changed'>

export const UNTITLED = 'New conversation'

/** An id: `crypto.randomUUID` is missing where the page comes over plain HTTP from another machine. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

export function newConversation(settings: Settings, now: number): Conversation {
  return { id: newId(), title: UNTITLED, named: false, changed: now, turns: [], leaf: null, settings }
}

/** The turns from the first one to `id`, or to the leaf. */
export function path(conversation: Conversation, id = conversation.leaf): Turn[] {
  const byId = new Map(conversation.turns.map(turn => [turn.id, turn]))
  const turns: Turn[] = []
  for (let turn = byId.get(id ?? ''); turn !== undefined; turn = byId.get(turn.parent ?? '')) turns.push(turn)
  return turns.reverse()
}

/** For each turn the ids of those that stand for the same place of the conversation, in the order in which they came. */
export function versions(conversation: Conversation): (turn: Turn) => readonly string[] {
  const place = (turn: Turn) => `${turn.role} ${turn.parent}`
  const groups = new Map<string, string[]>()
  for (const turn of conversation.turns) groups.set(place(turn), [...(groups.get(place(turn)) ?? []), turn.id])
  return turn => groups.get(place(turn)) ?? []
}

/** With a turn after `turn.parent`, as the leaf. */
export function withTurn(conversation: Conversation, turn: Turn, now: number): Conversation {
  const titled = conversation.named || conversation.title !== UNTITLED || turn.role !== 'user'
  const title = titled ? conversation.title : titleOf(turn)
  return { ...conversation, title, changed: now, turns: [...conversation.turns, turn], leaf: turn.id }
}

/** With a turn in place of the one of the same id. */
export function withChangedTurn(conversation: Conversation, turn: Turn): Conversation {
  return { ...conversation, turns: conversation.turns.map(other => (other.id === turn.id ? turn : other)) }
}

/** Shows `turn` and, after it, the newest turns. */
export function withShown(conversation: Conversation, turn: Turn): Conversation {
  const newestAfter = (id: string) => conversation.turns.findLast(other => other.parent === id)
  let leaf = turn
  for (let next = newestAfter(leaf.id); next !== undefined; next = newestAfter(leaf.id)) leaf = next
  return { ...conversation, leaf: leaf.id }
}

function titleOf(turn: UserTurn): string {
  const line = turn.text.trim().split('\n', 1)[0]?.trim() || turn.files[0]?.name || UNTITLED
  return line.length > 60 ? `${line.slice(0, 59).trimEnd()}…` : line
}
