/** Compiles the probe of the machine's limits. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { chooseSet } from '../../src/kernels/core/wasm/sets.ts'

export type ProbeKind = 'native' | 'wasm'

const SOURCE = path.resolve('bench', 'roofline', 'probe.cpp')
const FOLDER = path.resolve('build', 'bench')

/** The limit is that of the instructions that the kernels get here. */
const relaxed = chooseSet(undefined) === 'relaxed-simd'

const COMPILERS: Readonly<Record<ProbeKind, { program: string; args: readonly string[]; file: string }>> = {
  native: {
    program: process.env.CXX || 'g++',
    args: [
      ...['-std=c++20', '-O2', '-fPIC', '-shared', '-Wno-uninitialized'],
      '-Inode_modules/node-api-headers/include',
    ],
    file: 'probe.node',
  },
  wasm: {
    program: process.env.CLANG || 'clang-19',
    args: [
      ...['--target=wasm32', '-std=c++20', '-O3', '-ffreestanding', '-nostdlib', '-fuse-ld=lld'],
      relaxed ? '-mrelaxed-simd' : '-msimd128',
      ...['-Wl,--no-entry', '-Wl,--import-memory', '-Wl,--stack-first', '-Wl,-z,stack-size=32768'],
    ],
    file: relaxed ? 'probe-relaxed.wasm' : 'probe.wasm',
  },
}

/** The compiled probe, or null, having said so, where its compiler is not to be had. */
export function buildProbe(kind: ProbeKind): string | null {
  const { program, args, file } = COMPILERS[kind]
  const output = path.join(FOLDER, file)
  if (existsSync(output) && statSync(output).mtimeMs > statSync(SOURCE).mtimeMs) return output
  mkdirSync(FOLDER, { recursive: true })
  const { status, stderr, error } = spawnSync(program, [...args, SOURCE, '-o', output], { encoding: 'utf8' })
  if (status === 0) return output
  if (!error) throw new Error(`${program} failed:\n${stderr}`)
  console.log(`skipped, no ${kind} limits: ${program} cannot be run`)
  return null
}
