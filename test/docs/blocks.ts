/** The code blocks of README and docs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map(name => `docs/${name}`)]
  .filter(page => page.endsWith('.md'))
  .sort()

export interface Block {
  /** Page and line, as `docs/api.md:12`. */
  readonly place: string
  readonly language: string
  /** `no-run` is compiled only, `no-check` is neither compiled nor run; both give a reason. */
  readonly mark: 'no-run' | 'no-check' | null
  readonly reason: string
  readonly code: string
}

const FENCE = /^(```+)([\w-]*)(?: +(.*))?$/

/** All fenced blocks of a page. Throws for a mark without a reason. */
export function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(join(ROOT, page), 'utf8').split('\n')
  const blocks: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const [, ticks, language = '', info = ''] = FENCE.exec(lines[i] as string) ?? []
    if (!ticks) continue
    const end = lines.indexOf(ticks, i + 1)
    if (end < 0) throw new Error(`${page}:${i + 1}: the block does not end`)
    const [, mark = null, reason = ''] = /^(no-run|no-check): (.+)$/.exec(info) ?? []
    if (info && !mark) throw new Error(`${page}:${i + 1}: expected no-run: REASON or no-check: REASON, not ${info}`)
    const code = `${lines.slice(i + 1, end).join('\n')}\n`
    blocks.push({ place: `${page}:${i + 1}`, language, mark: mark as Block['mark'], reason, code })
    i = end
  }
  return blocks
}

/** Lines of a page outside its fenced blocks, with their numbers. */
export function prose(page: string): readonly { readonly line: string; readonly number: number }[] {
  let inside = ''
  return readFileSync(join(ROOT, page), 'utf8')
    .split('\n')
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => {
      const [, ticks] = FENCE.exec(line) ?? []
      if (inside) {
        if (line === inside) inside = ''
        return false
      }
      inside = ticks ?? ''
      return !inside
    })
}
