/** The licence of a model, as its files name it. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readGgufHeader } from '../checkpoint/gguf/header.ts'
import { cachedName } from '../checkpoint/hub/cache-layout.ts'
import { openFile } from '../checkpoint/source/file-source.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'

/** As model cards of the hub name one. */
export interface Licence {
  /** The short name, such as apache-2.0; `other` for one that has none. */
  readonly id: string
  /** What `other` is called; null: nothing usable is said. */
  readonly name: string | null
  /** Where the text of `other` is; null: nowhere on the web. */
  readonly link: string | null
}

/** Characters of a model card that may be its head. */
const HEAD = 16_384
const NAME = /^(?!null$)[\w.+-]{1,64}$/
/** A path in the original's folder would lead nowhere from another one. */
const LINK = /^https?:\/\/[\w.~:/?#@!$&()*+,;=%-]{1,500}$/

/** From the head of the README.md in a model's folder, or from its GGUF file; null: none is named there. */
export async function licenceOf(path: string, { checkpoint }: OpenedModel): Promise<Licence | null> {
  // Beside a GGUF file any card may lie, but not in the hub's cache.
  const folder = /\.gguf$/i.test(path) && cachedName(path) !== undefined ? dirname(path) : path
  const said = (await inGguf(checkpoint.configFile)) ?? (await inCard(folder))
  const matching = (value: unknown, form: RegExp) => (typeof value === 'string' && form.test(value) ? value : null)
  const id = matching(said?.id, NAME)
  if (id === null) return null
  // Of others the name says all.
  if (id !== 'other') return { id, name: null, link: null }
  return { id, name: matching(said?.name, NAME), link: matching(said?.link, LINK) }
}

/** What files say, unchecked. */
type Said = Readonly<Record<keyof Licence, unknown>>

async function inCard(folder: string): Promise<Said | undefined> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '')
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card.slice(0, HEAD))?.[1] ?? ''
  const field = (key: string) =>
    new RegExp(`^${key}:[ \\t]*["']?([^"'\\r\\n]*?)["']?(?:[ \\t]+#.*)?[ \\t]*$`, 'm').exec(head)?.[1]
  const id = field('license')
  return id === undefined ? undefined : { id, name: field('license_name'), link: field('license_link') }
}

async function inGguf(file: string): Promise<Said | undefined> {
  if (!/\.gguf$/i.test(file)) return undefined
  const { metadata } = await readGgufHeader(await openFile(file))
  const [id, name, link] = ['', '.name', '.link'].map(end => metadata.raw(`general.license${end}`))
  return id === undefined ? undefined : { id, name, link }
}
