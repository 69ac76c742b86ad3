/** One thread of the probe: waits for the others, runs, waits again; the first one tells how long all took. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { PAGE, webAssembly } from '../../src/kernels/core/wasm/webassembly.ts'
import type { ProbeTask } from './peaks.ts'

const { file, code, amount, threads, index, rounds, barrier } = workerData as ProbeTask
const run = file.endsWith('.wasm') ? await wasmProbe() : (createRequire(import.meta.url)(file) as { run: Probe }).run

type Probe = (code: number, amount: number) => number

interface Exports {
  run(code: number, base: number, amount: number): number
}

async function wasmProbe(): Promise<Probe> {
  const pages = (code === 0 ? amount : 0) / PAGE + 2
  const api = webAssembly()
  const memory = new api.Memory({ initial: pages, maximum: pages, shared: false })
  const base = PAGE
  new Uint8Array(memory.buffer, base).fill(1)
  const { exports } = new api.Instance(await api.compile(readFileSync(file)), { env: { memory } }) as {
    exports: Exports
  }
  return (code, amount) => exports.run(code, base, amount)
}

let passed = 0
/** As many threads as cores: nobody is kept waiting by one that spins. */
function meet(): void {
  passed++
  Atomics.add(barrier, 0, 1)
  while (Atomics.load(barrier, 0) < passed * threads);
}

run(code, amount)
const rates: number[] = []
for (let round = 0; round < rounds; round++) {
  meet()
  const start = performance.now()
  const done = run(code, amount)
  meet()
  rates.push((1000 * done * threads) / (performance.now() - start))
}
if (index === 0) parentPort?.postMessage(rates)
