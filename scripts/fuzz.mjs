// Runs the fuzz tests for longer than `npm test` does, each time with another seed:
//   node scripts/fuzz.mjs [runs] [seed] [--keep]
// Default 120,000 runs. --keep adds inputs with new outcomes to test/fuzz/corpus.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const [runs = '120000', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2).filter(a => !a.startsWith('--'))
const root = fileURLToPath(new URL('..', import.meta.url))
console.log(`${runs} runs with seed ${seed}; again: node scripts/fuzz.mjs ${runs} ${seed}`)
const env = {
  ...process.env,
  LATENTKIT_FUZZ_RUNS: runs,
  LATENTKIT_FUZZ_SEED: seed,
  ...(process.argv.includes('--keep') && { LATENTKIT_FUZZ_KEEP: '1' }),
}
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/fuzz'], { cwd: root, env, stdio: 'inherit' })
process.exit(status ?? 1)
