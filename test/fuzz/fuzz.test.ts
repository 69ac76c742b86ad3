import { describe, expect, it, test } from 'vitest'
import { CheckpointError } from '../../src/errors.ts'
import { extendCorpus, fuzz, readCorpus, runOnce } from './fuzzer.ts'
import { TARGETS } from './targets.ts'

/**
 * `npm test` runs a slice with a fixed seed, so it never fails by chance; `node scripts/fuzz.mjs` runs longer with
 * a new seed each time. An input that breaks a promise is added to `corpus/`, which every run begins with.
 */
const RUNS = Number(process.env.LATENTKIT_FUZZ_RUNS ?? 20_000)
const SEED = Number(process.env.LATENTKIT_FUZZ_SEED ?? 20_251_122)
const KEEP = process.env.LATENTKIT_FUZZ_KEEP === '1'

describe.each(TARGETS)('$name', (target, share) => {
  it('gives results or errors of its own for everything in the corpus', async () => {
    const inputs = [...target.seeds, ...readCorpus(target.name)]
    for (const [i, input] of inputs.entries()) await runOnce(target, input, `corpus entry ${i}`)
  })

  test(`and for ${Math.round(RUNS * share)} mutated inputs (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const report = await fuzz(target, SEED, Math.round(RUNS * share))
    const { runs, accepted, outcomes, slowestMs } = report
    console.log(
      `fuzz ${target.name}: seed ${SEED}, ${runs} inputs, ${accepted} accepted, ` +
        `${outcomes.size} outcomes, slowest ${slowestMs.toFixed(1)} ms`,
    )
    if (KEEP) extendCorpus(target.name, worthKeeping(outcomes))
    // Otherwise the mutations no longer get past the door, and the run shows nothing.
    expect(accepted).toBeGreaterThan(0)
    expect(outcomes.size).toBeGreaterThan(5)
  })
})

describe('the fuzzer', () => {
  const seeds = [Buffer.from('{"n":10}')]
  test.each<[string, (text: string) => unknown, string]>([
    ['a foreign error', text => JSON.parse(text), 'threw'],
    [
      'control characters',
      text => Promise.reject(saying(`${text.slice(0, 9)}\n`)),
      'control characters in its message',
    ],
    ['long messages', text => Promise.reject(saying(text.repeat(1000))), 'a message of'],
    ['long loops', () => burn(1600), 'took'],
  ])('finds %s', async (_, read, message) => {
    const run = async (input: Uint8Array) => void (await read(Buffer.from(input).toString('latin1')))
    await expect(fuzz({ name: 'none', seeds, keep: false, run }, 1, 1000)).rejects.toThrow(message)
  })
})

/** Past the constructor, which makes messages safe. */
function saying(message: string): CheckpointError {
  return Object.assign(new CheckpointError(''), { message })
}

function burn(ms: number): void {
  const start = process.cpuUsage().user
  while (process.cpuUsage().user - start < ms * 1000);
}

/** A few dozen short ones. */
function worthKeeping(outcomes: ReadonlyMap<string, Uint8Array>): Uint8Array[] {
  return [...outcomes.values()].sort((a, b) => a.length - b.length).slice(0, 40)
}
