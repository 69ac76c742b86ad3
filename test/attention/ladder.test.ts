/** The programs of examples/ladder: each is short enough to be read, learns, and shows what it is for; the command puts them into one table. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { latentkit, ROOT } from '../cli/run.ts'
import { expectClose } from '../support/compare.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FOLDER = join(ROOT, 'examples', 'ladder')
const { climb, RUNGS } = await import(join(FOLDER, 'climb.mjs'))
/** The built one, as the programs have it. */
const { openLearner } = await import(join(ROOT, 'dist', 'src', 'training', 'index.js'))

interface Event {
  readonly type: string
  readonly loss: number
  readonly accuracy: Readonly<Record<string, number>>
  readonly bytesPerToken: number | null
  readonly parameters: number
  readonly speed: { readonly cached: number | null; readonly uncached: number }
  readonly notes: readonly string[]
  readonly file: string
}

async function climbed(folder: string, options: object): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of climb(folder, { threads: 1, ...options })) events.push(event)
  return events
}

const ofType = (events: readonly Event[], type: string) => events.filter(event => event.type === type)

describe('examples/ladder', { timeout: 240_000 }, () => {
  it.each(readdirSync(FOLDER))('%s is read in one sitting, and imports only public paths', file => {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(150)
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, path = '']) => path)
    for (const path of imported) expect(path).toMatch(/^(latentkit(\/\w+)?|node:[\w/]+|\.\/[\w-]+\.mjs)$/)
  })

  const steps: Readonly<Record<string, number>> = { rnn: 12, additive: 12, transformer: 10 }
  it.each(Object.keys(RUNGS))('%s learns', async name => {
    const folder = tempFolder()
    const events = await climbed(folder, { rungs: [name], steps: steps[name] ?? 15, texts: 2 })
    const losses = ofType(events, 'step').map(({ loss }) => loss)
    const mean = (some: readonly number[]) => some.reduce((a, b) => a + b, 0) / some.length
    if (name !== 'sums') expect(mean(losses.slice(-3))).toBeLessThan(0.95 * mean(losses.slice(0, 2)))
    const [result] = ofType(events, 'result') as [Event]
    expect(result.parameters).toBeGreaterThan(50_000)
    for (const share of Object.values(result.accuracy)) expect(share).toBeLessThanOrEqual(1)
    for (const { file } of ofType(events, 'picture'))
      expect(readFileSync(file, 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
  })

  const sizes = { words: 18, size: 64, heads: 4, layers: 2, seed: 0 }
  const IDS = [2, 10, 0, 3, 11, 0, 1, 3]

  const cached = Object.keys(RUNGS).filter(name => RUNGS[name].task === 'sentences' && !/plain-dots|no-mask/.test(name))
  it.each(cached)('%s computes the same with a cache, word by word', async name => {
    await using bench = await openLearner({ threads: 1 })
    const { inference } = bench
    const model = (await import(join(FOLDER, `${name}.mjs`))).build(bench, sizes)
    const whole = await inference.read(model.logits(inference, IDS, { lengths: [IDS.length] }))
    const cache = model.newCache(inference)
    const rows: number[] = []
    for (const id of IDS) rows.push(...(await inference.read(model.logits(inference, [id], { cache }))))
    expectClose(name, rows, whole, { rel: 2e-2, abs: 2e-2 }) // the engine's cache has 16 bits
  })

  it('rope on raised keys: absorbed queries give what is wrong, from the second word on', async () => {
    await using bench = await openLearner({ threads: 1 })
    const { inference } = bench
    const { build, multiplications } = await import(join(FOLDER, 'raised-keys.mjs'))
    const model = build(bench, sizes)
    const logits = (ids: readonly number[], absorbed: boolean): Promise<Float32Array> =>
      inference.read(model.logits(inference, ids, { cache: { ...model.newCache(inference), absorbed } }))
    const apart = async (ids: readonly number[]) => {
      const [a, b] = [await logits(ids, false), await logits(ids, true)]
      return Math.max(...a.map((x: number, i: number) => Math.abs(x - b[i]!)))
    }
    // The first word's key is at place 0, and not rotated.
    expect(await apart(IDS.slice(0, 1))).toBeLessThan(1e-4)
    expect(await apart(IDS)).toBeGreaterThan(0.05)
    const v3 = multiplications(10_000, { heads: 128, rank: 512, head: 128, rope: 64, value: 128 })
    expect(v3.raised / v3.decoupled).toBeGreaterThan(100)
  })

  it('caches as much as each kind of attention has to', async () => {
    const rungs = ['llama', 'mqa', 'gqa', 'mla']
    const results = ofType(await climbed(tempFolder(), { rungs, steps: 1, texts: 1 }), 'result')
    // 2 layers, 16 bits: keys and values of 4 heads of 16, of 1, of 2; a latent of 48 and a rope key of 16.
    expect(results.map(({ bytesPerToken }) => bytesPerToken)).toEqual([512, 128, 256, 256])
  })
})

describe('latentkit ladder', { timeout: 120_000 }, () => {
  it('prints a table, keeps what is learned, and goes on', async () => {
    const out = join(tempFolder(), 'made')
    const args = ['ladder', 'rnn', 'mla', '--steps', '2', '--texts', '2', '--threads', '1', '--out', out]
    const json = await latentkit([...args, '--json'])
    expect([json.code, json.stderr]).toEqual([0, expect.stringContaining('RNN encoder-decoder (GRU): ')])
    const { rungs, pictures } = JSON.parse(json.stdout)
    expect(rungs.map(({ rung }: { rung: string }) => rung)).toEqual(['rnn', 'mla'])
    expect(pictures).toEqual([join(out, 'dates.svg'), join(out, 'sentences.svg')])
    const learned = ['mla.f32', 'mla.json', 'rnn.f32', 'rnn.json']
    expect(readdirSync(out).sort()).toEqual(['dates.svg', ...learned, 'sentences.svg'].sort())
    const written = () => learned.map(file => statSync(join(out, file)).mtimeMs)
    const before = written()

    const { code, stdout } = await latentkit(args)
    expect([code, written()]).toEqual([0, before])
    const table = stdout.split('\n').map(line => line.split(/ {2,}/))
    expect(table[0]).toEqual([
      'rung',
      'what it is',
      'numbers',
      'cache B/word',
      'right, %',
      'loss',
      'words/s',
      'no cache',
    ])
    for (const [i, cache] of [0, 256].entries()) {
      const { rung, title, loss, parameters } = rungs[i]
      const numbers = parameters.toLocaleString('en-GB')
      expect(table[i + 1]!.slice(0, 4)).toEqual([rung, title, numbers, String(cache)])
      expect(table[i + 1]).toContain(loss.toFixed(2))
    }
    expect(stdout).toContain('dates: right of 1 date, 2 dates, 3 dates, 4 dates')
    expect(stdout).toMatch(
      /Time of processors, all threads together: \d+\.\d min of learning, \d+\.\d min of examination/,
    )
  })

  it('refuses what is not there, and what was learned with other settings', async () => {
    const unknown = await latentkit(['ladder', 'lstm'])
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('there is no rung lstm; there are rnn,'),
    ])
    const out = tempFolder()
    const args = ['ladder', 'mqa', '--texts', '1', '--out', out]
    expect((await latentkit([...args, '--steps', '1'])).code).toBe(0)
    const other = await latentkit([...args, '--steps', '2'])
    expect([other.code, other.stderr]).toEqual([
      2,
      expect.stringMatching(
        /mqa\.json was learned with steps 1; expected 2\. Give another folder, or remove that file/,
      ),
    ])
  })
})
