import type { Body, Statement, Target } from '../syntax/ast.ts'
import { eachName, eachTarget } from '../syntax/names.ts'

/** A function of the compiled template: the template itself, a macro, a recursive loop, a loop's filter. */
export class FunctionScope {
  readonly parent: FunctionScope | undefined
  readonly #refs = new Map<string, Ref>()
  /** Levels that one call takes: statements and expressions inside one another. */
  depth = 1

  constructor(parent?: FunctionScope) {
    this.parent = parent
  }

  /** The variable of this name at this level; the same one for whoever asks. */
  ref(level: number, name: string): Ref {
    const key = `${level}:${name}`
    const ref = this.#refs.get(key) ?? { scope: this, slot: this.#refs.size }
    this.#refs.set(key, ref)
    return ref
  }
}

/** Where a variable lies. */
export interface Ref {
  readonly scope: FunctionScope
  readonly slot: number
}

/** What a variable holds when its frame is entered: the caller's value, another variable's, or nothing yet. */
export type Load =
  | { readonly kind: 'parameter' | 'nothing' }
  | { readonly kind: 'resolve'; readonly name: string }
  | { readonly kind: 'alias'; readonly of: Ref }

/**
 * Which variable a name means, decided before the template runs by the same rules as Jinja's (idtracking.py): a name
 * that a frame assigns is a variable of that frame, and starts as a copy of the outer one.
 */
export class Symbols {
  readonly scope: FunctionScope
  readonly parent: Symbols | undefined
  readonly #level: number
  /** A branch of an if begins with what its frame knows, and keeps what it finds to itself. */
  readonly #base: Symbols | undefined
  readonly #refs = new Map<string, Ref>()
  readonly #loads = new Map<Ref, Load>()
  readonly #stores = new Set<string>()

  constructor(scope: FunctionScope, parent?: Symbols, base?: Symbols) {
    this.scope = scope
    this.parent = parent
    this.#base = base
    this.#level = base !== undefined ? base.#level : parent === undefined ? 0 : parent.#level + 1
  }

  get loads(): ReadonlyMap<Ref, Load> {
    return this.#loads
  }

  /** The frame's own variable of this name. */
  #own(name: string): Ref | undefined {
    return this.#refs.get(name) ?? (this.#base === undefined ? undefined : this.#base.#own(name))
  }

  #isStored(name: string): boolean {
    if (this.#stores.has(name)) return true
    return this.#base === undefined ? false : this.#base.#isStored(name)
  }

  find(name: string): Ref | undefined {
    return this.#own(name) ?? this.parent?.find(name)
  }

  #define(name: string, load: Load): void {
    const ref = this.scope.ref(this.#level, name)
    this.#refs.set(name, ref)
    this.#loads.set(ref, load)
  }

  load(name: string): void {
    if (this.find(name) === undefined) this.#define(name, { kind: 'resolve', name })
  }

  store(name: string): void {
    this.#stores.add(name)
    if (this.#own(name) !== undefined) return
    const outer = this.parent?.find(name)
    this.#define(name, outer === undefined ? { kind: 'nothing' } : { kind: 'alias', of: outer })
  }

  parameter(name: string): void {
    this.#stores.add(name)
    this.#define(name, { kind: 'parameter' })
  }

  parameters(target: Target): void {
    eachTarget(
      target,
      name => this.parameter(name),
      () => {},
    )
  }

  /** Takes over what branches found; what only some of them assign starts as if none had. */
  #join(branches: readonly Symbols[]): void {
    const stores = new Set(branches.flatMap(branch => [...branch.#stores]).filter(name => !this.#isStored(name)))
    for (const branch of branches) {
      for (const [name, ref] of branch.#refs) this.#refs.set(name, ref)
      for (const [ref, load] of branch.#loads) this.#loads.set(ref, load)
      for (const name of branch.#stores) this.#stores.add(name)
    }
    for (const name of stores) {
      const ref = this.find(name)!
      const outer = this.parent?.find(name)
      this.#loads.set(ref, outer === undefined ? { kind: 'resolve', name } : { kind: 'alias', of: outer })
    }
  }

  /** Looks through the statements of a frame, in their order. Inner frames are looked through by themselves. */
  visit(body: Body): void {
    for (const node of body) this.#statement(node)
  }

  #target(target: Target): void {
    eachTarget(
      target,
      name => this.store(name),
      name => this.load(name),
    )
  }

  #statement(node: Statement): void {
    const read = (name: string) => this.load(name)
    switch (node.kind) {
      case 'print':
        eachName(node.value, read)
        return
      case 'set':
        eachName(node.value, read)
        this.#target(node.target)
        return
      case 'set block':
        this.#target(node.target)
        return
      case 'for':
        eachName(node.over, read)
        return
      case 'macro':
        this.store(node.name)
        return
      case 'call block':
        eachName(node.call, read)
        return
      case 'filter block':
        eachName(node.filter, read)
        return
      case 'with':
        for (const [, value] of node.targets) eachName(value, read)
        return
      case 'autoescape':
        eachName(node.on, read)
        return
      case 'if':
        this.#if(node.branches, node.otherwise)
        return
      default:
        return
    }
  }

  #if(branches: readonly { test: Parameters<typeof eachName>[0]; body: Body }[], otherwise: Body): void {
    const [first, ...others] = branches
    eachName(first!.test, name => this.load(name))
    const inner = (work: (symbols: Symbols) => void) => {
      const branch = new Symbols(this.scope, this.parent, this)
      work(branch)
      return branch
    }
    this.#join([
      inner(branch => branch.visit(first!.body)),
      inner(branch => {
        for (const other of others) branch.#if([other], [])
      }),
      inner(branch => branch.visit(otherwise)),
    ])
  }
}
