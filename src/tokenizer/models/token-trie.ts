import { NumberTable } from './number-table.ts'

export const ROOT = 0

/** A trie of a vocabulary's tokens, by UTF-16 units. */
export class TokenTrie {
  readonly #next = new NumberTable()
  readonly #ids: number[] = [-1]

  /** Of equal tokens, the last counts. */
  constructor(tokens: Iterable<readonly [string, number]>) {
    for (const [token, id] of tokens) {
      let node = ROOT
      for (let i = 0; i < token.length; i++) {
        const key = node * 0x10000 + token.charCodeAt(i)
        let next = this.#next.get(key)
        if (next < 0) {
          next = this.#ids.length
          this.#ids.push(-1)
          this.#next.set(key, next)
        }
        node = next
      }
      this.#ids[node] = id
    }
  }

  /** The child of `node` for a unit; -1 if no token continues with it. */
  step(node: number, unit: number): number {
    return this.#next.get(node * 0x10000 + unit)
  }

  /** The token that ends at a node; -1 if none. */
  idAt(node: number): number {
    return this.#ids[node]!
  }
}
