import type { Ending } from '../ending.ts'
import { type Grammar, GrammarLibrary } from '../matcher.ts'
import type { TextMatcher } from '../text-matcher.ts'
import { allows, setAllowed } from '../vocabulary.ts'
import { compileModule } from '../wasm/instance.ts'
import type { Checker } from './checker.ts'
import { type AdvanceMessage, type FromMasks, Slot, type ToMasks } from './protocol.ts'

interface MaskedText {
  /** Undefined if its grammar does not exist. */
  readonly matcher: TextMatcher | undefined
  readonly grammar: Grammar | undefined
  /** Undefined where memory is not shared: each request's masks are sent. */
  readonly slot: Slot | undefined
  /** Brings it to its end where few tokens are left. */
  readonly ending: Ending | undefined
  failure: string | undefined
}

type Post = (message: FromMasks, transfer?: readonly ArrayBuffer[]) => void

/** What runs in the thread of the masks: grammars and matchers by number, and a slot for each text. */
export class MaskService {
  readonly #post: Post
  readonly #grammars = new Map<number, Grammar>()
  readonly #texts = new Map<number, MaskedText>()
  #library: Promise<GrammarLibrary> | undefined
  #checker: Checker | undefined
  #words = 0
  /** Messages are worked off in their order. */
  #last: Promise<void> = Promise.resolve()

  constructor(post: Post) {
    this.#post = post
  }

  receive(message: ToMasks): void {
    this.#last = this.#last.then(() => this.#handle(message))
  }

  async #handle(message: ToMasks): Promise<void> {
    switch (message.type) {
      case 'start': {
        this.#words = message.words
        const { vocabulary, wasm } = message
        this.#library = compileModule(wasm).then(module => new GrammarLibrary(module, vocabulary))
        try {
          // The vocabulary's tables are the slow part of the first grammar.
          ;(await this.#library).instance()
          this.#post({ type: 'started' })
        } catch (error) {
          this.#post({ type: 'refused', reason: reasonOf(error) })
        }
        break
      }
      case 'compile': {
        let error: string | undefined
        this.#post({ type: 'compiling', call: message.call })
        try {
          const library = (await this.#library) as GrammarLibrary
          this.#grammars.set(message.grammar, library.compile(message.source))
        } catch (reason) {
          error = reasonOf(reason)
        }
        this.#post({ type: 'compiled', call: message.call, error })
        break
      }
      case 'release':
        this.#grammars.get(message.grammar)?.dispose()
        this.#grammars.delete(message.grammar)
        break
      case 'open':
        this.#open(message)
        break
      case 'advance':
        this.#advance(message)
        break
      case 'notify':
        // It comes after the request.
        this.#post({ type: 'done', text: message.text, request: message.request })
        break
      case 'close':
        this.#texts.get(message.text)?.matcher?.dispose()
        this.#texts.delete(message.text)
        break
      case 'check':
        this.#checker ??= new (await import('./checker.ts')).Checker()
        this.#post({ type: 'began' })
        this.#post({ type: 'checked', problem: await this.#checker.check(message.demand, message.text) })
        break
      case 'read': {
        const { readingOf } = await import('./reading.ts')
        this.#post({ type: 'began' })
        this.#post({ type: 'read', readings: message.schemas.map(readingOf) })
        break
      }
    }
  }

  #open({ text, grammar, slot, fork }: ToMasks & { type: 'open' }): void {
    const original = fork === undefined ? undefined : this.#texts.get(fork)
    const known = this.#grammars.get(grammar)
    const matcher = original?.matcher ? copyOf(original.matcher) : known?.matcher()
    const ending = original ? original.ending?.fork() : known?.ending()
    const memory = slot && new Slot(slot, this.#words)
    this.#texts.set(text, { matcher, grammar: known, slot: memory, ending, failure: original?.failure })
  }

  #advance({ text, request, drop, ids, drafts, left, ahead }: AdvanceMessage): void {
    const held = this.#texts.get(text)
    if (held === undefined) return
    const sent = held.slot ? undefined : new ArrayBuffer(Slot.bytes(1 + drafts.length, this.#words))
    const slot = sent ? new Slot(sent, this.#words) : (held.slot as Slot)
    try {
      if (held.failure !== undefined) throw new Error(held.failure)
      const { matcher } = held
      if (matcher === undefined) throw new Error('The grammar is not compiled')
      matcher.rollback(drop)
      if (drop > 0) held.ending?.cut(matcher.length)
      const accepted = matcher.accept(ids)
      if (accepted < ids.length) throw new Error(`The grammar does not allow the id ${ids[accepted]}`)
      const limit = left === undefined ? undefined : { left, ending: held.ending }
      const guesses = drafts.length === 0 && held.slot ? () => foreseen(matcher, held, ahead) : () => drafts
      slot.finish(request, writeMasks(matcher, guesses, slot, limit))
    } catch (error) {
      held.failure = reasonOf(error)
      slot.fail(request, held.failure)
    }
    if (sent) this.#post({ type: 'masks', text, slot: sent }, [sent])
  }
}

/** A failed matcher has no copy; its text's failure is copied instead. */
function copyOf(matcher: TextMatcher): TextMatcher | undefined {
  try {
    return matcher.fork()
  } catch {
    return undefined
  }
}

/** The likeliest way to write what has to come next: an ending that was begun, else what the grammar leaves no choice of. */
function foreseen(matcher: TextMatcher, { ending, grammar }: MaskedText, most: number): readonly number[] {
  if (most === 0) return []
  return ending?.begun(matcher.length)?.slice(0, most) ?? grammar?.forcedIds(matcher, most) ?? []
}

/** The mask after the text, and after each draft as far as they are allowed. Returns how many. */
function writeMasks(
  matcher: TextMatcher,
  guesses: () => readonly number[],
  slot: Slot,
  limit: { readonly left: number; readonly ending: Ending | undefined } | undefined,
): number {
  let row = 0
  let drafts: readonly number[] = []
  for (; ; row++) {
    const { stopped } = matcher
    const mask = slot.rows[row] as Uint32Array
    matcher.mask(mask)
    const only = stopped ? undefined : limit?.ending?.next(matcher, limit.left - row)
    if (only) restrict(mask, only)
    slot.setRow(row, matcher.accepting, stopped)
    // The first row's ending is known now.
    if (row === 0) drafts = guesses()
    if (row === drafts.length || row + 1 === slot.rows.length) break
    if (only && !only.includes(drafts[row] as number)) break
    if (matcher.accept([drafts[row] as number]) === 0) break
    slot.setDraft(row, drafts[row] as number)
  }
  if (row > 0) limit?.ending?.cut(matcher.length)
  matcher.rollback(row)
  return row + 1
}

/** Leaves these ids of a mask. */
function restrict(mask: Uint32Array, ids: readonly number[]): void {
  const kept = ids.filter(id => allows(mask, id))
  mask.fill(0)
  for (const id of kept) setAllowed(mask, id, true)
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
