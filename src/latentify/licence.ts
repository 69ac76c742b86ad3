/** The licence of a model, as its files name it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readGgufHeader } from '../checkpoint/gguf/header.ts'
import { openFile } from '../checkpoint/source/file-source.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'

/** Characters of a model card that may be its head. */
const HEAD = 16_384
const NAME = /^(?!null$)[\w.+-]{1,64}$/

/** The short name, such as apache-2.0: from the head of the README.md in a model's folder, or from its GGUF file; null: none is named there. */
export async function licenceOf(path: string, { checkpoint }: OpenedModel): Promise<string | null> {
  const named = (await inCard(path)) ?? (await inGguf(checkpoint.configFile))
  return typeof named === 'string' && NAME.test(named) ? named : null
}

async function inCard(folder: string): Promise<string | undefined> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '')
  const head = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card.slice(0, HEAD))?.[1] ?? ''
  return /^license:[ \t]*["']?([^"'\r\n#]*?)["']?[ \t]*$/m.exec(head)?.[1]
}

async function inGguf(file: string): Promise<unknown> {
  if (!/\.gguf$/i.test(file)) return undefined
  return (await readGgufHeader(await openFile(file))).metadata.raw('general.license')
}
