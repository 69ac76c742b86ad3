import type { Component } from '../tokenizer-json.ts'

/** A model's tokens, as its vocabulary writes them, and their ids. */
export class Vocabulary {
  readonly idOf: ReadonlyMap<string, number>
  readonly tokens: readonly string[]
  /** Id of the unknown token. */
  readonly unknown: number | undefined

  constructor({ vocab, unk_id, unk_token }: Component) {
    const entries = Array.isArray(vocab)
      ? vocab.map((entry, i) => [(entry as [string])[0], i] as const)
      : Object.entries(vocab as Record<string, number>)
    const tokens: string[] = []
    for (const [token, id] of entries) tokens[id] = token
    this.idOf = new Map(entries)
    this.tokens = tokens
    this.unknown = typeof unk_id === 'number' ? unk_id : this.idOf.get(String(unk_token))
  }
}
