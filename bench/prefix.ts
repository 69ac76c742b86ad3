/**
 * The second of two prompts with a common prefix: milliseconds to its first token if the prefix is in memory, on disk in a
 * new process, or in a session file; compared with llama.cpp's saving and restoring of the same tokens. Files that are read
 * are not in the page cache. Targets: at most 3 % of the cold time from memory, 10 % from disk. Linux.
 *
 *     node scripts/bench.mjs prefix [mla-q8 gqa-q8 tales ... | FILE.gguf] [--contexts 8192] [--rounds 1]
 *       [--kernels native|wasm] [--threads 2] [--no-rival] [--models DIR] [--keep]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Contender, rivalInstalled } from './contenders/contender.ts'
import { stream } from './contenders/stream.ts'
import { workModel } from './models/work-model.ts'
import type { PrefixAnswers, PrefixRequest } from './prefix/program.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

/** Of the tokens of both prompts: 7.9K of 8K. */
const SHARED = 7.9 / 8

const options = benchOptions({ contexts: [8192], rounds: 1 })
const { threads, kernels, rounds, rival, models } = options
const names = options.given.length > 0 ? options.given : ['mla-q8']
const results: Record<string, unknown>[] = []
const table = [['model', 'tokens', 'what', 'ms', 'of cold', 'MB', 'cached tokens']]

for (const name of names) {
  const model = workModel(name, models)
  for (const tokens of options.contexts) {
    const shared = Math.floor(SHARED * tokens)
    const ours: Ours[] = []
    for (let round = 0; round < rounds; round++) ours.push(await measureOurs(model, tokens, shared))
    const cold = spread(ours.map(o => o.read.cold.ms))
    const row = (what: string, of: (o: Ours) => number, more: { bytes?: number; cached?: number } = {}) => {
      const ms = spread(ours.map(of))
      results.push({ model: name, tokens, shared, what, ms, ofCold: ms.median / cold.median, ...more })
      const { bytes, cached } = more
      table.push([
        ...[name, String(tokens), what, show(ms, 0), `${((100 * ms.median) / cold.median).toFixed(1)} %`],
        ...[bytes === undefined ? '' : (bytes / 1e6).toFixed(1), cached === undefined ? '' : String(cached)],
      ])
    }
    const [{ read, disk, file }] = ours as [Ours]
    row('cold', o => o.read.cold.ms, { cached: read.cold.cachedTokens })
    row('second, from memory', o => o.read.memory.ms, { cached: read.memory.cachedTokens })
    row('second, from disk in a new process', o => o.disk.disk.ms, { cached: disk.disk.cachedTokens })
    row('the same, with loading the model', o => o.disk.loadMs + o.disk.disk.ms)
    row('save to a file', o => o.read.save.ms, { bytes: read.save.bytes })
    row('restore it in a new process', o => o.file.restoreMs, { bytes: read.save.bytes })
    row('restore it, and the first token', o => o.file.restoreMs + o.file.file.ms, { cached: file.file.cachedTokens })
    if (!rival || !rivalInstalled) continue
    const theirs = await measureRival(model, tokens, shared)
    results.push({ model: name, tokens, shared, what: 'llama.cpp', ...theirs })
    const line = (what: string, ms: number, bytes?: number) => {
      const share = `${((100 * ms) / theirs.coldMs).toFixed(1)} %`
      const mb = bytes === undefined ? '' : (bytes / 1e6).toFixed(1)
      table.push([name, String(tokens), `llama.cpp: ${what}`, ms.toFixed(0), share, mb, ''])
    }
    line('cold', theirs.coldMs)
    line('second, from memory', theirs.memoryMs)
    line('save to a file', theirs.saveMs, theirs.bytes)
    line('restore it in a new process', theirs.restoreMs, theirs.bytes)
    line('restore it, and the first token', theirs.restoreMs + theirs.firstMs)
  }
}
printTable(table)
printJson('prefix', { kernels, threads, results }, options.keep)

interface Ours extends PrefixAnswers {}

async function measureOurs(model: string, tokens: number, shared: number): Promise<Ours> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-prefix-'))
  const ask = <W extends keyof PrefixAnswers>(what: W): PrefixAnswers[W] => {
    dropPages(folder)
    const request: PrefixRequest = { what, model, threads, kernels, tokens, shared, folder }
    const program = path.resolve('dist', 'bench', 'prefix', 'program.js')
    const line = execFileSync(process.execPath, [program, JSON.stringify(request)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return JSON.parse(line)
  }
  try {
    const [read, disk, file] = [ask('read'), ask('disk'), ask('file')]
    const found = [disk.disk, file.file]
    mustBe(`the same prompt goes on with ${found.map(f => f.tokenId)}`, found[0]?.tokenId === found[1]?.tokenId)
    mustBe(
      'what both prompts begin with was not there',
      [read.memory, ...found].every(f => f.cachedTokens > shared - 128 && f.cachedTokens <= shared),
    )
    return { read, disk, file }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measureRival(model: string, tokens: number, shared: number) {
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-prefix-'))
  const file = path.join(folder, 'rival.state')
  const open = async () => {
    const contender = Contender.rival()
    await contender.ask('open', { model, threads, contextLength: tokens + 64 })
    return contender
  }
  const timed = async <T>(work: Promise<T>) => {
    const start = performance.now()
    const value = await work
    return { value, ms: performance.now() - start }
  }
  /** What is left of the second prompt, and a step for its first token. */
  const second = async (contender: Contender) => {
    const { ms } = await contender.ask('read', { tokens: stream(shared + 1000, tokens - shared - 1) })
    return ms + ((await contender.ask('write', { tokens: stream(tokens + 1000, 1) })).ms[0] as number)
  }
  let contender = await open()
  try {
    const { ms: sharedMs } = await contender.ask('read', { tokens: stream(0, shared) })
    const saved = await timed(contender.ask('save', { file }))
    const memoryMs = await second(contender)
    await contender.close()
    dropPages(folder)
    contender = await open()
    const restored = await timed(contender.ask('restore', { file }))
    const firstMs = await second(contender)
    return {
      coldMs: sharedMs + memoryMs,
      memoryMs,
      saveMs: saved.ms,
      bytes: saved.value.bytes,
      restoreMs: restored.ms,
      firstMs,
    }
  } finally {
    await contender.close()
    rmSync(folder, { recursive: true })
  }
}

/** Asks the system to forget what it holds of a folder's files; what is not yet written goes to the disk before. */
function dropPages(folder: string): void {
  spawnSync('sync')
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = path.join(entry.parentPath, entry.name)
    const { status } = spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
    mustBe('dd cannot drop a file from the page cache here', status === 0)
  }
}
