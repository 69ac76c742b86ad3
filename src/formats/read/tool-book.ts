import type { ToolDescription } from '../messages.ts'
import { parameterSchemas } from '../tool-schema.ts'

type Schema = Readonly<Record<string, unknown>>

/** The tools of a conversation, as readers of calls need them. */
export class ToolBook {
  readonly #schemas: ReadonlyMap<string, ReadonlyMap<string, Schema>>

  constructor(tools: readonly ToolDescription[]) {
    this.#schemas = new Map(
      tools.map(tool => [tool.name, new Map(parameterSchemas(tool).map(({ name, schema }) => [name, schema]))]),
    )
  }

  has(name: string): boolean {
    return this.#schemas.has(name)
  }

  schema(name: string, key: string): Schema | null {
    return this.#schemas.get(name)?.get(key) ?? null
  }

  /** An argument's name by its place, or without what Python's reserved words need. */
  parameter(name: string, place: number | string): string {
    const known = this.#schemas.get(name)
    if (typeof place === 'number') return [...(known?.keys() ?? [])][place] ?? `arg${place}`
    if (known?.has(place)) return place
    return [place.replace(/_$/, ''), place.replace(/^_/, '')].find(other => known?.has(other)) ?? place
  }

  /** The only tool, or the only one that has all these arguments. */
  guess(keys: readonly string[]): string | null {
    const names = [...this.#schemas.keys()]
    if (names.length === 1) return names[0] ?? null
    const suiting = names.filter(name => keys.every(key => this.#schemas.get(name)?.has(key)))
    return suiting.length === 1 ? (suiting[0] ?? null) : null
  }
}
