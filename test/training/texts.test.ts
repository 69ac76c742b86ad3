/** Texts as tokens on disk: the documents, the order and the bits of texts in memory, whatever happens to the file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { reserve } from '../../src/files/reserve.ts'
import { Rng as SeededRng } from '../../src/sampling/rng.ts'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { type TrainingEvent, type TrainOptions, train } from '../../src/training/index.ts'
import { Batches, type Document } from '../../src/training/pieces.ts'
import { LongText } from '../../src/training/run/texts/long-text.ts'
import { FileReader } from '../../src/training/run/texts/text-stream.ts'
import { TokenFile, TokenWriter } from '../../src/training/run/texts/token-file.ts'
import { Rng } from '../support/rng.ts'
import { HAS_SMALL_DISKS, smallDisk } from '../support/small-disk.ts'
import { smallModel } from './small-model.ts'

/** Megabytes of the text that is larger than the heap, and those of the heap. */
const TEXT_MB = Number(process.env.LATENTKIT_TRAINING_TEXT_MB ?? 6)
const HEAP_MB = TEXT_MB > 100 ? 256 : 40

const place = mkdtempSync(join(tmpdir(), 'latentkit-texts-'))
afterAll(() => rmSync(place, { recursive: true }))
const MAIN = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url))
const OPTIONS: Omit<TrainOptions, 'data'> = {
  ...{ steps: 3, batchTokens: 24, contextLength: 12, rate: 0.02, warmup: 1, kernels: 'reference', seed: 7 },
}

async function events(model: string, run: string, options: TrainOptions): Promise<TrainingEvent[]> {
  const all: TrainingEvent[] = []
  for await (const event of train(model, run, options)) all.push(event)
  return all
}

const tokenFiles = (folder: string) => readdirSync(folder).filter(name => name.includes('.tokens'))

function bundledTokenizer(): Tokenizer {
  const read = (name: string) => JSON.parse(readFileSync(join(bundledModel(), name), 'utf8'))
  return createTokenizer({ tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json') })
}

/** Documents of every kind but pairs, some empty, some longer than a window. */
function documentsOf(rng: Rng, count: number): Document[] {
  return Array.from({ length: count }, (_, i) => {
    const length = i % 97 === 5 ? 0 : i === 7 ? 270_000 : rng.below(60)
    const tokens = Int32Array.from({ length }, () => rng.below(5000))
    if (rng.below(3) > 0) return { tokens }
    return { tokens, learned: Uint8Array.from(tokens, () => rng.below(2)) }
  })
}

async function written(name: string, documents: readonly Document[], pairs = false): Promise<TokenFile> {
  const path = join(place, name)
  const writer = await TokenWriter.open(path, pairs, undefined)
  for (const document of documents) await writer.add(document)
  await writer.finish()
  return (await TokenFile.open(path)) as TokenFile
}

/** As runs had it that hold all documents in memory. */
function fingerprintInMemory(documents: readonly Document[]): string {
  const hash = createHash('sha256')
  let count = 0
  for (const { tokens, learned, pair } of documents) {
    hash.update(Int32Array.of(tokens.length)).update(tokens)
    if (learned) hash.update(learned)
    if (pair) hash.update(Int32Array.of(pair.chosen, ...pair.prompts))
    count += tokens.length
  }
  return `${documents.length} documents, ${count} tokens, ${hash.digest('hex').slice(0, 32)}`
}

/** As those made their batches: a list of all pieces, shuffled. */
function* batchesInMemory(documents: readonly Document[], length: number, batchTokens: number, seed: number) {
  const pieces = documents.flatMap(({ tokens, learned }) => {
    if (learned && tokens.length - 1 > length) return []
    const found: { tokens: number[]; targets: number[] }[] = []
    for (let from = 0; from + 1 < tokens.length; from += length) {
      const to = Math.min(from + length, tokens.length - 1)
      const targets = [...tokens.slice(from + 1, to + 1)].map((id, i) => (learned?.[from + 1 + i] === 0 ? -1 : id))
      found.push({ tokens: [...tokens.slice(from, to)], targets })
    }
    return found
  })
  for (let epoch = 0, next = pieces.length, order: number[] = []; ; ) {
    const batch: typeof pieces = []
    for (let tokens = 0; tokens < batchTokens; ) {
      if (next === pieces.length) {
        const rng = SeededRng.seeded(BigInt(seed) * 0x10000n + BigInt(epoch++))
        order = pieces.map((_, i) => i)
        for (let i = order.length - 1; i > 0; i--) {
          const j = Math.floor(rng.next() * (i + 1))
          ;[order[i], order[j]] = [order[j] as number, order[i] as number]
        }
        next = 0
      }
      const piece = pieces[order[next++] as number] as (typeof pieces)[number]
      batch.push(piece)
      tokens += piece.tokens.length
    }
    yield batch
  }
}

describe('a file of tokens', () => {
  it.each(['one', 'two'])('gives the documents, the fingerprint and the batches of memory (%s)', async seed => {
    const documents = documentsOf(new Rng(seed), 300)
    const file = await written(`${seed}.tokens`, documents)
    expect(file.count).toBe(documents.length)
    for (const [i, document] of documents.entries()) {
      const { tokens, learned } = file.read(i, 0, file.shape(i).length)
      expect(Buffer.compare(Buffer.from(tokens.buffer), Buffer.from(document.tokens.buffer))).toBe(0)
      expect(learned).toEqual(document.learned)
    }
    expect(file.fingerprint).toBe(fingerprintInMemory(documents))
    expect(file.top).toBe(documents.reduce((top, { tokens }) => tokens.reduce((a, b) => Math.max(a, b), top), 0))
    const options = { contextLength: 1000, batchTokens: 4000, seed: 5 }
    const batches = new Batches(file, options)
    const expected = batchesInMemory(documents, 1000, 4000, 5)
    const { perEpoch } = batches
    for (let i = 0; i < perEpoch + 20; i++) {
      const found = batches.next().map(({ tokens, targets }) => [Array.from(tokens), Array.from(targets)])
      expect(found).toEqual((expected.next().value as { tokens: number[]; targets: number[] }[]).map(Object.values))
    }
    expect(batches.epoch).toBe(2)
    const resumed = new Batches(file, options)
    resumed.skip(perEpoch + 20)
    expect(resumed.next()).toEqual(batches.next())
    file.close()
  })

  it('has pairs, too', async () => {
    const rng = new Rng('pairs')
    const documents = Array.from({ length: 200 }, (): Document => {
      const chosen = 2 + rng.below(40)
      const tokens = Int32Array.from({ length: chosen + 2 + rng.below(40) }, () => rng.below(900))
      return { tokens, pair: { chosen, prompts: [1 + rng.below(chosen), 1] } }
    })
    const file = await written('pairs.tokens', documents, true)
    expect(file.fingerprint).toBe(fingerprintInMemory(documents))
    expect(documents.map((_, i) => file.read(i, 0, file.shape(i).length))).toEqual(documents)
    file.close()
  })

  it('that is damaged or cut anywhere is not believed', async () => {
    const path = join(place, 'sound.tokens')
    ;(await written('sound.tokens', documentsOf(new Rng('damage'), 90))).close()
    const bytes = readFileSync(path)
    const rng = new Rng('where')
    const bad = join(place, 'bad.tokens')
    for (let i = 0; i < 60; i++) {
      const damaged = Buffer.from(bytes)
      const at = i < 10 ? bytes.length - 1 - rng.below(36) - 4 : rng.below(bytes.length - 4)
      damaged[at] = (damaged[at] as number) ^ (1 + rng.below(255))
      writeFileSync(bad, i % 5 === 4 ? bytes.subarray(0, rng.below(bytes.length)) : damaged)
      expect(await TokenFile.open(bad), `byte ${at} of ${bytes.length}`).toBe(null)
    }
  })
})

describe('a text that comes in parts', () => {
  const prose = readFileSync(join(import.meta.dirname, '../../docs/training.md'), 'utf8').repeat(3)
  const chinese = '语言模型的缓存。注意力从不遗忘，'.repeat(2000)

  it.each([
    ['prose', prose],
    ['one without line breaks', prose.replaceAll('\n', ' ')],
    ['one of blanks', `a${' \n\t'.repeat(5000)}b`.repeat(3)],
    ['one without blanks', chinese],
  ])('%s has the tokens of the whole', (_, text) => {
    const tokenizer = bundledTokenizer()
    const rng = new Rng('parts')
    const whole = tokenizer.encodePrompt(text.trim())
    const long = new LongText(
      (part, first) => (first ? tokenizer.encodePrompt(part) : tokenizer.encode(part, { addSpecialTokens: false })),
      'the text',
      6000,
    )
    const ids: number[] = []
    let parts = 0
    for (let at = 0; at < text.length; ) {
      const to = at + 1 + rng.below(9000)
      for (const some of long.add(text.slice(at, to))) {
        ids.push(...some)
        parts++
      }
      at = to
    }
    ids.push(...(long.end() ?? []))
    expect(ids).toEqual(whole)
    if (!text.startsWith('a ')) expect(parts).toBeGreaterThan(3)
  })

  it('is cut at separators as a whole file is, wherever they fall', async () => {
    const file = join(place, 'cut.txt')
    const rng = new Rng('cuts')
    let text = ''
    while (text.length < 3 << 20) text += `${'é'.repeat(rng.below(5000))}<|end${rng.below(2) ? 'of|>' : ''}`
    writeFileSync(file, text)
    const found: string[] = []
    let last = ''
    for await (const part of new FileReader(undefined).documents(file, '<|endof|>')) {
      if (part !== null) last += part
      else {
        found.push(last)
        last = ''
      }
    }
    expect(found).toEqual(text.split('<|endof|>'))
  })
})

describe('a run', () => {
  const model = smallModel(join(place, 'model'))
  const data = join(place, 'stories.txt')
  writeFileSync(data, Array.from({ length: 40 }, (_, i) => `A cat sat on mat ${i}.\nIt slept.`).join('<|endoftext|>'))

  it('tokenises its texts once, and again where they or the file have changed', async () => {
    const run = join(place, 'once')
    const first = await events(model, run, { ...OPTIONS, data: [data] })
    const [name] = tokenFiles(run) as [string]
    expect(tokenFiles(run)).toHaveLength(1)
    const path = join(run, name)
    const before = statSync(path).mtimeMs
    await events(model, run, { ...OPTIONS, data: [data] })
    expect(statSync(path).mtimeMs).toBe(before)
    const bytes = readFileSync(path)
    truncateSync(path, 100)
    rmSync(join(run, 'step-000003'), { recursive: true })
    const again = await events(model, run, { ...OPTIONS, data: [data] })
    expect(readFileSync(path).equals(bytes)).toBe(true)
    const losses = (all: TrainingEvent[]) => all.flatMap(event => (event.type === 'step' ? [event.loss] : []))
    expect(losses(again)).toEqual(losses(first))

    const other = join(place, 'other.txt')
    writeFileSync(other, `${readFileSync(data, 'utf8')} more`)
    await expect(events(model, run, { ...OPTIONS, data: [other] })).rejects.toThrow('holds a run with texts')
    expect(tokenFiles(run)).toEqual([name])
    await expect(
      events(model, join(place, 'none'), { ...OPTIONS, data: [other], contextLength: 1e6 }),
    ).rejects.toThrow()
    expect(existsSync(join(place, 'none'))).toBe(false)
  })

  it('shares the tokens of others in a folder, and refuses what it cannot read twice', async () => {
    const tokenFolder = join(place, 'shared')
    await events(model, join(place, 'first'), { ...OPTIONS, data: [data], tokenFolder })
    const [name] = tokenFiles(tokenFolder) as [string]
    const before = statSync(join(tokenFolder, name)).mtimeMs
    await events(model, join(place, 'second'), { ...OPTIONS, data: [data], tokenFolder, rate: 0.01 })
    expect(tokenFiles(tokenFolder)).toEqual([name])
    expect(statSync(join(tokenFolder, name)).mtimeMs).toBe(before)
    expect(tokenFiles(join(place, 'second'))).toEqual([])
    await expect(events(model, join(place, 'third'), { ...OPTIONS, data: ['/dev/null'] })).rejects.toThrow(
      '/dev/null is a pipe or a device',
    )
    await expect(events(model, join(place, 'third'), { ...OPTIONS, data: [data], tokenFolder: data })).rejects.toThrow(
      /\.tokens cannot be written: .*a file is in its place/,
    )
    const latin = join(place, 'latin.txt')
    writeFileSync(latin, Buffer.from([0x61, 0xe9, 0x61]))
    await expect(events(model, join(place, 'third'), { ...OPTIONS, data: [latin] })).rejects.toThrow('is no UTF-8 text')
    expect(existsSync(join(place, 'third'))).toBe(false)
  })

  it('leaves alone what another run writes into its folder, and removes what was left', async () => {
    await events(model, join(place, 'alone'), { ...OPTIONS, data: [data] })
    const [name] = tokenFiles(join(place, 'alone')) as [string]
    const run = join(place, 'busy')
    mkdirSync(run)
    const written = join(run, `${name}.00000000.partial`)
    const left = join(run, `texts-${'0'.repeat(32)}.tokens.00000000.partial`)
    for (const file of [written, left]) writeFileSync(file, '')
    const release = await reserve(join(run, name))
    await expect(events(model, run, { ...OPTIONS, data: [data] })).rejects.toThrow('Another process writes')
    expect([written, left].map(file => existsSync(file))).toEqual([true, false])
    await release?.()
    await events(model, run, { ...OPTIONS, data: [data] })
    expect(tokenFiles(run)).toEqual([name])
  })

  it('that is killed while it tokenises begins again, and believes nothing that was left', async () => {
    const big = join(place, 'big.txt')
    writeFileSync(big, `${'The dog saw the cat, and the cat saw the dog. '.repeat(40)}<|endoftext|>`.repeat(1000))
    const run = join(place, 'killed')
    const options = { ...OPTIONS, data: [big], steps: 1 }
    const whole = await events(model, join(place, 'unkilled'), options)
    let left = 0
    for (const after of [0, 60]) {
      const before = new Set(partials(run))
      const child = cli(['train', model, run, ...flags(big), '--steps', '1', '--kernels', 'reference'])
      for (let waited = 0; partials(run).every(name => before.has(name)) && waited < 10_000; waited += 5) await sleep(5)
      await sleep(after)
      child.kill('SIGKILL')
      await once(child, 'exit')
      if (partials(run).length > 0) left++
    }
    expect(left).toBeGreaterThan(0)
    const found = await events(model, run, options)
    expect(found.filter(({ type }) => type === 'step').map(event => event.type === 'step' && event.loss)).toEqual(
      whole.filter(({ type }) => type === 'step').map(event => event.type === 'step' && event.loss),
    )
    expect(tokenFiles(run)).toHaveLength(1)
  })

  it.skipIf(!HAS_SMALL_DISKS)('says that the disk is full, and leaves nothing on it', async () => {
    const disk = smallDisk(256 * 1024)
    if (!disk) return
    const big = join(place, 'more.txt')
    writeFileSync(big, 'The dog saw the cat. '.repeat(60_000))
    await expect(events(model, join(disk.path, 'run'), { ...OPTIONS, data: [big] })).rejects.toThrow(
      /texts-[0-9a-f]{32}\.tokens cannot be written: the disk is full/,
    )
    expect(readdirSync(disk.path)).toEqual([])
    disk.remove()
  })

  it(
    `learns from ${TEXT_MB} MB of text with a heap of ${HEAP_MB} MB`,
    async () => {
      const big = join(place, 'larger.txt')
      const some = Array.from(
        { length: 1000 },
        (_, i) => `${i} The fox read one more book. It slept.\n<|endoftext|>`,
      ).join('')
      writeFileSync(big, '')
      while (statSync(big).size < TEXT_MB * 1e6) appendFileSync(big, some)
      const run = join(place, 'larger')
      const child = cli(
        ['train', model, run, ...flags(big), '--steps', '2', '--kernels', 'wasm', '--threads', '1', '--json'],
        [`--max-old-space-size=${HEAP_MB}`],
      )
      let output = ''
      child.stdout?.on('data', data => {
        output += data
      })
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
      const lines = output
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      const begin = lines.find(({ type }) => type === 'begin')
      expect(begin.documents).toBe(Math.ceil((TEXT_MB * 1e6) / some.length) * 1000)
      expect(lines.filter(({ type }) => type === 'step')).toHaveLength(2)
      rmSync(run, { recursive: true })
      rmSync(big)
    },
    TEXT_MB * 10_000,
  )
})

const flags = (data: string) => [
  '--data',
  data,
  '--batch-tokens',
  '24',
  '--context',
  '12',
  '--seed',
  '7',
  '--rate',
  '0.02',
  '--warmup',
  '1',
]
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

function cli(args: string[], node: string[] = []): ChildProcess {
  return spawn(process.execPath, [...node, MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Files of tokens that are being written, or were. */
function partials(folder: string): string[] {
  return existsSync(folder) ? tokenFiles(folder).filter(name => name.endsWith('.partial')) : []
}
