/** examples/grid: kinds of attention that learn the same with as many numbers, and what their runs say. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { latentkit, ROOT } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FOLDER = join(ROOT, 'examples', 'grid')
const file = (name: string) => import(join(FOLDER, name))
const { DESIGN, cellsOf, keptRuns, runCells } = await file('capacity.mjs')
const { interval, verdict } = await file('intervals.mjs')
const { summary } = await file('summary.mjs')
const { random } = await import(join(ROOT, 'examples', 'ladder', 'random.mjs'))

interface Result {
  readonly type: string
  readonly cell: string
  readonly attention: string
  readonly loss: number
  readonly parameters: number
  readonly bytesPerToken: number
  readonly digest: string
}

async function learned(folder: string, cells: readonly string[], options: object): Promise<Result[]> {
  const results: Result[] = []
  for await (const event of runCells(folder, { cells, threads: 1, ...options })) {
    if (event.type === 'result') results.push(event)
  }
  return results
}

it.each(readdirSync(FOLDER).filter(name => name.endsWith('.mjs')))(
  '%s is short, and imports only public paths',
  name => {
    const text = readFileSync(join(FOLDER, name), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(150)
    for (const [, path = ''] of text.matchAll(/from '([^']+)'/g))
      expect(path).toMatch(/^(latentkit(\/\w+)?|node:[\w/]+|\.\.?\/[\w/-]+\.mjs)$/)
  },
)

it.each(['records', 'pairs'])('answers of %s stand in the text before, and are not its only candidates', async name => {
  const { text, WORDS } = await file(`${name}.mjs`)
  const next = random(5)
  for (let i = 0; i < 20; i++) {
    const { ids, answers } = text(next)
    expect(answers.length).toBeGreaterThan(4)
    for (const at of answers) {
      const kind = WORDS[ids[at]].charAt(0)
      const before = ids.slice(0, at).filter((id: number) => WORDS[id].startsWith(kind) && !WORDS[id].endsWith('?'))
      expect(before).toContain(ids[at])
      expect(new Set(before).size).toBeGreaterThan(4)
    }
  }
})

describe('intervals', () => {
  it('are those of Student', () => {
    expect(interval([1, 2, 3])).toEqual({ mean: 2, half: expect.closeTo(4.303 / Math.sqrt(3), 9) })
    expect(interval([5])).toEqual({ mean: 5, half: null })
  })

  it.each([
    [0.1, 0.05, 'worse'],
    [-0.1, 0.05, 'better'],
    [0.001, 0.01, 'same'],
    [0.01, 0.03, 'open'],
    [0.5, null, 'open'],
  ])('%d ± %d is %s', (mean, half, said) => {
    expect(verdict({ mean, half }, 0.02)).toBe(said)
  })

  it('of differences are those of the same seeds', () => {
    const run = (attention: string, seed: number, loss: number) => {
      return { task: 'pairs', attention, seed, loss, right: 0.5, bytesPerToken: 8, parameters: 9 }
    }
    // The seeds differ much, the kinds of attention by 0.1 in each of them.
    const results = [0, 1, 2].flatMap(seed => [run('mha', seed, seed), run('mqa', seed, seed + 0.1)])
    const rows = summary(DESIGN, [...results, run('gqa', 7, 1)])
    expect(rows.map(({ attention }: Result) => attention)).toEqual(['mha', 'gqa', 'mqa'])
    expect(rows[2]).toMatchObject({ runs: 3, verdict: 'worse', difference: { mean: expect.closeTo(0.1, 9) } })
    expect([rows[0].difference, rows[1].difference]).toEqual([null, null])
  })
})

describe('cells', { timeout: 120_000 }, () => {
  it('have as many numbers in all kinds of attention, and cache what each has to', async () => {
    const cells = cellsOf().filter((cell: string) => cell.startsWith('pairs/') && cell.endsWith('/0'))
    const results = await learned(tempFolder(), cells, { steps: 1 })
    // Two layers, 16 bits.
    const bytes = { mha: 512, gqa: 256, mqa: 128, 'mqa-wide': 256, 'mla-64': 256, 'mla-32': 128 }
    expect(Object.fromEntries(results.map(one => [one.attention, one.bytesPerToken]))).toEqual(bytes)
    const numbers = results.map(({ parameters }) => parameters)
    expect(Math.max(...numbers) / Math.min(...numbers)).toBeLessThan(1.01)
  })

  it('give the same bits again, and are not learned twice', async () => {
    const [folder, steps, cells] = [tempFolder(), 3, ['records/mla-32/1']]
    const [one] = await learned(folder, cells, { steps })
    expect(await learned(folder, cells, { steps })).toEqual([one])
    const [again] = await learned(tempFolder(), cells, { steps, threads: 2 })
    expect(again!.digest).toBe(one!.digest)
    await expect(learned(folder, cells, { steps: 4 })).rejects.toThrow(/was learned with other settings/)
  })

  it('of texts need a file', async () => {
    await expect(learned(tempFolder(), ['tales/mha/0'], {})).rejects.toThrow(/not given; expected tales=FILE/)
    const texts = { tales: join(ROOT, 'README.md') }
    const folder = tempFolder()
    const [result] = await learned(folder, ['tales/mha/0'], { texts, steps: 1 })
    expect(await learned(folder, ['tales/mha/0'], { steps: 1 })).toEqual([result])
    const other = { tales: join(ROOT, 'CHANGELOG.md') }
    await expect(learned(folder, ['tales/mha/0'], { texts: other, steps: 1 })).rejects.toThrow(/from another text/)
    expect(result).toMatchObject({ right: null, text: expect.stringMatching(/^[0-9a-f]{64}$/) })
  })

  it('that come with the package are those of the design, each once', async () => {
    const kept = await keptRuns()
    const names = kept.map(({ cell }: Result) => cell)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(cellsOf()).toContain(name)
  })
})

describe('latentkit grid capacity', { timeout: 60_000 }, () => {
  it('learns cells, and prints and draws what came out', async () => {
    const out = tempFolder()
    const svg = join(out, 'picture.svg')
    const args = ['grid', 'capacity', 'pairs/mha/0', 'pairs/mqa/0', '--steps', '1', '--threads', '1', '--out', out]
    const { code, stdout, stderr } = await latentkit([...args, '--svg', svg])
    expect([code, stderr]).toEqual([0, expect.stringContaining('pairs/mqa/0: loss ')])
    const rows = stdout.split('\n').map(line => line.split(/ {2,}/))
    expect(rows[1]!.slice(0, 3)).toEqual(['pairs', 'mha', '512'])
    expect(rows[2]!.at(-1)).toBe('open')
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*mqa \(128 B\)[\s\S]*<\/svg>\n$/)
  })

  it('refuses what is not there', async () => {
    const unknown = await latentkit(['grid', 'capacity', 'pairs/lstm'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there is no cell pairs/lstm')])
    const idle = await latentkit(['grid', 'capacity', '--steps', '3'])
    expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('expected --out')])
  })
})
