/** examples/grid: kinds of attention that learn the same with as many numbers, and what their runs say. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { latentkit, ROOT } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FOLDER = join(ROOT, 'examples', 'grid')
const file = (name: string) => import(join(FOLDER, name))
const { DESIGN, cellsOf, keptRuns, runCells } = await file('capacity.mjs')
const { KINDS, beginningOf } = await file('design.mjs')
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
  readonly begun?: string
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
    const { ids, answers } = text(next, 6)
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
    const cells = KINDS.map((kind: string) => `pairs/${kind}/0`)
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

  it('begin with what others have learned, heads pooled by their mean', async () => {
    const folder = tempFolder()
    const results = await learned(folder, ['pairs-long/mqa-pooled/0'], { steps: 1 })
    expect(results.map(({ cell }) => cell)).toEqual(['pairs/mha/0', 'pairs/mqa-pooled/0', 'pairs-long/mqa-pooled/0'])
    const [mha, pooled, long] = results as [Result, Result, Result]
    expect([pooled.begun, long.begun]).toEqual([mha.digest, pooled.digest])
    // In each layer and matrix three of four heads of 16 x 64 numbers are gone.
    expect(mha.parameters - pooled.parameters).toBe(2 * 2 * 3 * 16 * 64)
    expect(await learned(folder, ['pairs-long/mqa-pooled/0'], { steps: 1 })).toEqual(results)
    writeFileSync(
      join(folder, 'pairs.mha.0.json'),
      readFileSync(join(folder, 'pairs.mha.0.json'), 'utf8').replace(mha.digest, 'other'),
    )
    await expect(learned(folder, ['pairs/mqa-pooled/0'], { steps: 1 })).rejects.toThrow(/from another beginning/)
  })

  it('of as many heads pooled are what they were, and of fewer their means', async () => {
    const { readPooled } = await file('pool.mjs')
    const { writeNumbers } = await import(join(ROOT, 'examples', 'ladder', 'files.mjs'))
    const path = join(tempFolder(), 'numbers')
    const ramp = (length: number) => Float32Array.from({ length }, (_, i) => i)
    // Embedding, output, norm; a block: norm, queries, keys and values of four heads of two numbers, output, norm, MLP.
    const numbers = [2, 2, 2, 2, 8, 8, 8, 8, 2, 2, 2, 2].map(ramp)
    await writeNumbers(path, numbers)
    const lengths = numbers.map(({ length }) => length)
    expect(await readPooled(path, lengths, 4, 4)).toEqual(numbers)
    const half = lengths.map((length, i) => (i === 5 || i === 6 ? length / 2 : length))
    const pooled = await readPooled(path, half, 4, 2)
    expect([...pooled[5]]).toEqual([1, 2, 5, 6])
    expect(pooled[4]).toEqual(numbers[4])
  })

  it('tell how far their loss went up again', async () => {
    const { riseOf } = await file('learning.mjs')
    const tens = (...values: readonly number[]) => values.flatMap(value => Array(10).fill(value))
    expect(riseOf(tens(3, 2, 2.5, 1, 1.2))).toBeCloseTo(0.5)
    expect(riseOf(tens(3, 2, 1))).toBe(0)
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
    for (const { cell, begun } of kept as Result[]) {
      const before = beginningOf(cell)
      if (before !== null) expect(begun).toBe(kept.find((one: Result) => one.cell === before).digest)
    }
  })
})

it('kinds of attention write behind a text in turns', { timeout: 60_000 }, async () => {
  const { speeds, speedRows } = await file('speed.mjs')
  const runs = []
  for await (const run of speeds({ threads: 1, sizes: { scale: 1, behind: 20, written: 2, rounds: 2 } })) runs.push(run)
  const rows = speedRows(runs)
  expect(rows.map(({ attention }: Result) => attention)).toEqual(KINDS)
  // As many bytes as the cells cache.
  expect(rows.map(({ bytesPerToken }: Result) => bytesPerToken)).toEqual([512, 256, 128, 256, 256, 128])
  expect(rows[0]).toMatchObject({ rounds: 2, processor: { mean: 1, half: 0 } })
})

describe('redundancy', { timeout: 60_000 }, () => {
  it('is what heads have in common', async () => {
    const { lossesOf } = await file('redundancy.mjs')
    const next = random(1)
    const drawn = () => Float32Array.from({ length: 40 * 4 }, () => next(1000) / 500 - 1)
    const one = { keys: drawn(), values: drawn() }
    // Two heads that are the same: half of the numbers keep all of both, cut together.
    const [same] = await lossesOf([one, one], 40)
    expect(same.share).toBe(0.5)
    expect(same.together).toBeLessThan(1e-9)
    expect(same.apart).toBeGreaterThan(0.1)
    const [strangers] = await lossesOf([one, { keys: drawn(), values: drawn() }], 40)
    expect(strangers.together).toBeGreaterThan(0.5 * strangers.apart)
  })

  it('is measured in cells before and after they learned', async () => {
    const out = tempFolder()
    await learned(out, ['pairs/mha/0'], { steps: 1 })
    const args = ['grid', 'redundancy', 'pairs/mha/0', '--out', out, '--threads', '1']
    const { code, stdout } = await latentkit(args)
    expect(code).toBe(0)
    const rows = stdout.split('\n').map(line => line.split(/ {2,}/))
    expect(rows.slice(1, 5).map(row => row.slice(0, 2))).toEqual([
      ['pairs/mha/0, drawn', '0'],
      ['pairs/mha/0, drawn', '1'],
      ['pairs/mha/0', '0'],
      ['pairs/mha/0', '1'],
    ])
    // Keys and values of all heads come from 64 numbers.
    for (const row of rows.slice(1, 5)) expect(row[2]).toBe('0.0')
    const other = await latentkit(['grid', 'redundancy', 'pairs/mqa/0', '--out', out])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('expected cells of mha')])
    const absent = await latentkit(['grid', 'redundancy', 'pairs/mha/1', '--out', out])
    expect([absent.code, absent.stderr]).toEqual([2, expect.stringContaining('learn that cell first')])
    const model = ['--model', join(ROOT, 'models', 'tales-mla-8m'), '--text', `text=${join(ROOT, 'README.md')}`]
    const latent = await latentkit(['grid', 'redundancy', ...model])
    expect([latent.code, latent.stderr]).toEqual([1, expect.stringContaining('has no layer with keys and values')])
    const idle = await latentkit(['grid', 'redundancy'])
    expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('expected cells and --out')])
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
    expect(rows[2]!.slice(-2)).toEqual(['open', '0.00'])
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*mqa \(128 B\)[\s\S]*<\/svg>\n$/)
  })

  it('takes texts of a folder by their names', async () => {
    const texts = tempFolder({ 'tales.txt': 'once upon a time '.repeat(300), 'other.md': '' })
    const out = tempFolder()
    const args = ['grid', 'capacity', 'tales/mqa/0', '--steps', '1', '--threads', '1', '--out', out]
    const { code, stderr } = await latentkit([...args, '--text', texts])
    expect([code, stderr]).toEqual([0, expect.stringContaining('tales/mqa/0: loss ')])
    const empty = await latentkit([...args, '--text', out])
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('a folder with texts such as tales.txt')])
  })

  it('refuses what is not there', async () => {
    const unknown = await latentkit(['grid', 'capacity', 'pairs/lstm'])
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there is no cell pairs/lstm')])
    const idle = await latentkit(['grid', 'capacity', '--steps', '3'])
    expect([idle.code, idle.stderr]).toEqual([2, expect.stringContaining('expected --out')])
  })
})
