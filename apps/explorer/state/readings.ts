/** The texts that one model has read, as they are or with changes. */
import type { ReadingChange } from '../../../src/browser.ts'
import type { Numbers, TextReading } from '../numbers/numbers.ts'

type HeadChange = Extract<ReadingChange, { readonly kind: 'head' }>
/** A change as plain data: another text stands for its reading. */
export type TextChange =
  | Extract<ReadingChange, { readonly kind: 'off' | 'rank' }>
  | (Omit<HeadChange, 'from'> & { readonly fromText: string })

/** Texts read last are kept while a view is shown. Each keeps its hidden states in the engine. */
const MAX_READINGS = 4

export class Readings {
  /** The newest last. */
  readonly #readings = new Map<string, Promise<TextReading>>()
  /** What views show now: it is kept, however many texts came after it. */
  readonly #shown = new Set<{ readonly name: string }>()

  get empty(): boolean {
    return this.#readings.size === 0
  }

  has(name: string): boolean {
    return this.#readings.has(name)
  }

  /** Keeps a text until the returned function is called. */
  keep(name: string): () => void {
    const own = { name }
    this.#shown.add(own)
    return () => void this.#shown.delete(own)
  }

  read(numbers: Numbers, name: string): Promise<TextReading> {
    const found = this.#readings.get(name)
    this.#readings.delete(name)
    const reading = found ?? this.#begin(numbers, name)
    this.#readings.set(name, reading)
    // What failed is tried again.
    reading.catch(() => this.#readings.get(name) === reading && this.#readings.delete(name))
    this.#drop(MAX_READINGS)
    return reading
  }

  /** Frees the texts that no view shows. */
  free(): void {
    this.#drop(0)
  }

  async #begin(numbers: Numbers, name: string): Promise<TextReading> {
    const { text, changes } = JSON.parse(name) as { text: string; changes: readonly TextChange[] }
    const others = changes.flatMap(change => ('fromText' in change ? [nameOf(change.fromText)] : []))
    const release = others.map(other => this.keep(other))
    try {
      const made: ReadingChange[] = []
      for (const change of changes) {
        if (!('fromText' in change)) made.push(change)
        else {
          const { fromText, ...rest } = change
          made.push({ ...rest, from: await this.read(numbers, nameOf(fromText)) })
        }
      }
      return await numbers.read(text, made)
    } finally {
      for (const one of release) one()
    }
  }

  /** All but the newest `most`, and those in use. */
  #drop(most: number): void {
    const inUse = new Set([...this.#shown].map(one => one.name))
    for (const [other, old] of [...this.#readings].slice(0, Math.max(0, this.#readings.size - most))) {
      if (inUse.has(other)) continue
      this.#readings.delete(other)
      void old.then(
        one => one.dispose(),
        () => undefined,
      )
    }
  }
}

/** What a reading is found by. */
export function nameOf(text: string, changes: readonly TextChange[] = []): string {
  return JSON.stringify({ text, changes })
}
