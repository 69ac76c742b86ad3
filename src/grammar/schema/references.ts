import { isObject, pointerOf } from './json-schema.ts'

/** A place of a schema: the value, and its JSON pointer from the root. */
export interface Place {
  readonly value: unknown
  readonly path: string
}

/** Where a document's own references lead. */
export class References {
  readonly #root: unknown
  /** By absolute address without fragment, and by address with an anchor. */
  readonly #places = new Map<string, Place>()
  /** The address that references at a path are relative to. */
  readonly #bases = new Map<string, string>()
  /** Paths from which references lead into no circle. */
  readonly #straight = new Set<string>()

  constructor(root: unknown) {
    this.#root = root
    this.#places.set(BASE, { value: root, path: '' })
    this.#index(root, '', BASE)
  }

  /** The place that a reference leads to; undefined if it is not in the document. */
  resolve(reference: string, from: string): Place | undefined {
    const base = this.#baseOf(from)
    let address: URL
    try {
      address = new URL(reference, base)
    } catch {
      return undefined
    }
    const fragment = decode(address.hash.slice(1))
    const whole = address.href.split('#', 1)[0] as string
    if (fragment !== '' && !fragment.startsWith('/')) return this.#places.get(`${whole}#${fragment}`)
    const start = this.#places.get(whole)
    return start && follow(start, fragment)
  }

  /** Whether references that stand alone, `{ "$ref": … }` to `{ "$ref": … }`, lead back to this path. */
  leadsBack(path: string): boolean {
    const seen = new Set<string>()
    let meets = false
    const visit = (at: string, value: unknown): boolean => {
      if (this.#straight.has(at)) return false
      if (seen.has(at)) {
        meets = true
        return at === path
      }
      if (!isObject(value)) return false
      seen.add(at)
      if (typeof value.$ref === 'string') {
        const next = this.resolve(value.$ref, at)
        if (next && (next.path === path || visit(next.path, next.value))) return true
      }
      return ['allOf', 'anyOf', 'oneOf'].some(keyword => {
        const list = value[keyword]
        return Array.isArray(list) && list.some((part, i) => visit(`${at}/${keyword}/${i}`, part))
      })
    }
    const place = this.resolve(`#${encodeURI(path)}`, '')
    if (place === undefined) return false
    const leads = visit(path, place.value)
    // Without a circle among them none is looked at again: a chain of references takes one look.
    if (!leads && !meets) for (const at of seen) this.#straight.add(at)
    return leads
  }

  #baseOf(path: string): string {
    for (let at = path; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const base = this.#bases.get(at)
      if (base !== undefined || at === '') return base ?? BASE
    }
  }

  #index(value: unknown, path: string, base: string): void {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) this.#index(item, path + pointerOf(i), base)
      return
    }
    if (!isObject(value)) return
    let own = base
    const id = typeof value.$id === 'string' ? value.$id : value.id
    if (typeof id === 'string' && !path.endsWith('/properties')) {
      const address = parse(id, base)
      if (address?.startsWith(`${base}#`) || (address !== undefined && /#./.test(address))) {
        // An anchor of older drafts.
        this.#places.set(address, { value, path })
      } else if (address !== undefined && (typeof value.$id === 'string' || /[/:#]/.test(id))) {
        own = address.split('#', 1)[0] as string
        this.#places.set(own, { value, path })
        this.#bases.set(path, own)
        if (path === '') this.#places.set(own, { value: this.#root, path })
      }
    }
    if (typeof value.$anchor === 'string') this.#places.set(`${own}#${value.$anchor}`, { value, path })
    for (const [key, part] of Object.entries(value)) this.#index(part, path + pointerOf(key), own)
  }
}

const BASE = 'schema://local/root'

function parse(id: string, base: string): string | undefined {
  try {
    return new URL(id, base).href
  } catch {
    return undefined
  }
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

function follow(start: Place, pointer: string): Place | undefined {
  let { value, path } = start
  if (pointer === '') return start
  for (const segment of pointer.slice(1).split('/')) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(value) && /^\d+$/.test(key) && Number(key) < value.length) value = value[Number(key)]
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else return undefined
    path += pointerOf(key)
  }
  return { value, path }
}
