/** docs/how-much-memory.md: its commands are run, what it shows must be there, and every number in its text as well. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { latentkit } from '../cli/run.ts'

const DOC = readFileSync(new URL('../../docs/how-much-memory.md', import.meta.url), 'utf8')

interface Section {
  readonly title: string
  readonly commands: readonly { readonly args: string[]; readonly shown: readonly string[] }[]
  /** Without code, and without what is quoted: claims of others. */
  readonly prose: string
}

function sections(): Section[] {
  return DOC.split(/^## /m)
    .slice(1)
    .map(text => {
      const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(m => m[1] as string)
      const commands = blocks.flatMap(block =>
        block
          .split(/^\$ latentkit /m)
          .slice(1)
          .map(part => {
            const [line = '', ...shown] = part.trim().split('\n')
            return { args: line.split(' '), shown }
          }),
      )
      const prose = text
        .slice(text.indexOf('\n'))
        .replace(/^```.*?^```$/gms, '')
        .replace(/"[^"]*"/g, '')
        .replace(/`[^`]*`/g, '')
      return { title: text.slice(0, text.indexOf('\n')), commands, prose }
    })
}

const plain = (text: string) => text.replace(/\s+/g, ' ')

/** Amounts with a unit, and whole numbers with thousands: 70,272 B, 56.89×, 152,797. */
const NUMBER = /\d[\d,]*(?:\.\d+)?(?:\s(?:[KMGT]i?B|B|tokens\/s)(?!\w)|×)|\d{1,3}(?:,\d{3})+/g

describe.each(sections().filter(s => s.commands.length > 0))('$title', ({ commands, prose }) => {
  const outputs = Promise.all(
    commands.map(async ({ args }) => {
      const { code, stdout, stderr } = await latentkit(args)
      expect(stderr).toBe('')
      expect(code).toBe(0)
      return plain(stdout)
    }),
  )

  it('shows lines that the commands print', async () => {
    for (const [i, { shown }] of commands.entries()) {
      for (const line of shown) expect((await outputs)[i]).toContain(plain(line))
    }
  })

  it('has no number that its commands do not print', async () => {
    const printed = (await outputs).join(' ')
    for (const number of prose.match(NUMBER) ?? []) {
      // Units that a table has in its heading.
      const amount = plain(number).replace(/ (tokens\/s|B)$/, '')
      expect(printed, `${number} in the text`).toMatch(new RegExp(`(?<![\\d.,])${literal(amount)}(?![\\d])`))
    }
  })

  it('calculates right', () => {
    for (const [, a = '', b = '', percent = ''] of prose.matchAll(/1 − ([\d,]+) \/ ([\d,]+) = ([\d.]+) %/g)) {
      const value = (text: string) => Number(text.replaceAll(',', ''))
      expect((100 * (1 - value(a) / value(b))).toFixed(1)).toBe(percent)
    }
  })
})

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

it('the page names every claim that it promises to set right', () => {
  for (const claim of ['4 MB', '70 KB', '57×', '400 GB against 7 GB', '128K', '134 MB', '93.3 %', 'MQA is smaller']) {
    expect(DOC).toContain(claim)
  }
  expect(sections().flatMap(s => s.commands).length).toBeGreaterThanOrEqual(20)
})
