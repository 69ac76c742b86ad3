/** The instruction sets that there are modules for, and which of them this machine gets. */
import { OptionError } from '../../../errors.ts'
import { webAssembly } from './webassembly.ts'

/** `info.isa` of WebAssembly's kernels. */
export type WasmSet = 'simd128' | 'relaxed-simd'

// The same way up from src and from dist; written out, so that bundlers see the files.
const MODULES: Readonly<Record<WasmSet, { readonly alone: URL; readonly shared: URL }>> = {
  simd128: {
    alone: new URL('../../../../prebuilt/core.wasm', import.meta.url),
    shared: new URL('../../../../prebuilt/core-threads.wasm', import.meta.url),
  },
  'relaxed-simd': {
    alone: new URL('../../../../prebuilt/core-relaxed.wasm', import.meta.url),
    shared: new URL('../../../../prebuilt/core-relaxed-threads.wasm', import.meta.url),
  },
}

/** Addresses of 64 bits, with relaxed SIMD and shared memory. */
export const WIDE_MODULE = new URL('../../../../prebuilt/core-relaxed-64.wasm', import.meta.url)

/** With the operations of training, which all others lack: plain SIMD and shared memory. No page loads it. */
export const TRAINING_MODULE = new URL('../../../../prebuilt/core-training.wasm', import.meta.url)

/** Weights that addresses of 32 bits hold: something of the 4 GiB is for what a step computes. */
export const NARROW_BYTES = 2 ** 32 - 2 ** 27

/** Why memory beyond 4 GiB cannot be had here; null where it can. */
export function whyNarrow(): string | null {
  const { Memory } = webAssembly()
  try {
    new Memory({ initial: 1n, maximum: 1n, shared: true, address: 'i64' })
  } catch {
    return 'has no addresses of 64 bits (memory64)'
  }
  const relaxed = probeRelaxed()
  return relaxed?.fused && relaxed.exact ? null : 'has them, but no relaxed SIMD, which the module for them needs'
}

/** The module of a set, with threads (`shared`) or without. */
export function moduleOf(set: WasmSet, shared: boolean): URL {
  return MODULES[set][shared ? 'shared' : 'alone']
}

/**
 * The set asked for. Without one, and for the name of a native set, the best: relaxed SIMD where its multiply-add rounds once
 * and its dot product is one instruction, else plain SIMD. Throws OptionError where the engine cannot run the set.
 */
export function chooseSet(isa: string | undefined): WasmSet {
  if (isa === 'simd128') return isa
  if (isa === 'relaxed-simd') {
    const relaxed = probeRelaxed()
    if (relaxed?.fused && relaxed.exact) return isa
    const problem = relaxed ? 'rounds its multiply-add twice, or its dot product is wrong' : 'has no relaxed SIMD'
    throw new OptionError(`WebAssembly here ${problem}; leave \`isa\` out to use the best.`)
  }
  const relaxed = probeRelaxed()
  return relaxed?.fused && relaxed.exact && relaxed.fast ? 'relaxed-simd' : 'simd128'
}

/** The set of `TRAINING_MODULE`. Throws OptionError where another one of WebAssembly's is asked for. */
export function trainingSet(isa: string | undefined): WasmSet {
  if (isa !== 'relaxed-simd') return 'simd128'
  throw new OptionError(
    'isa is "relaxed-simd"; WebAssembly trains and measures losses with simd128 alone: leave `isa` out',
  )
}

interface RelaxedSimd {
  /** a b + c is rounded once. Such machines, and only they, have the bits of the relaxed set. */
  readonly fused: boolean
  /** The dot product is right wherever its second factor lies within 0 .. 127. (Node 20's is not, behind its flag.) */
  readonly exact: boolean
  /** It does not saturate: then it is one instruction, and not the three of x86 before VNNI, which are no gain. */
  readonly fast: boolean
}

/** What the relaxed instructions do here; null where there are none. */
export function probeRelaxed(): RelaxedSimd | null {
  const { Module, Instance, validate } = webAssembly()
  if (!validate(PROBE)) return null
  let compiled: object
  try {
    compiled = new Module(PROBE)
  } catch {
    // A page's policy forbids to compile: the module of the kernels says so when it is compiled.
    return null
  }
  const { madd, dot } = new Instance(compiled, {}).exports as {
    madd(a: number, b: number, c: number): number
    dot(a: number, b: number, c: number): number
  }
  // (1 + e)^2 - (1 + 2 e) = e^2, which a product that is rounded by itself has lost.
  const e = 2 ** -12
  return {
    fused: madd(1 + e, 1 + e, -(1 + 2 * e)) === e * e,
    exact: DOTS.every(([a, b, c, result]) => dot(fourOf(a), fourOf(b), c) === result),
    fast: dot(fourOf(-128), fourOf(-1), 0) !== 2 * -(2 ** 15),
  }
}

/** [each of four signed bytes, each of four factors, what is added, the sum] */
const DOTS = [
  [-128, 127, 1, 4 * -128 * 127 + 1],
  [127, 127, -5, 4 * 127 * 127 - 5],
  [-1, 127, 0, -4 * 127],
  [-127, 64, 2 ** 30, 2 ** 30 - 4 * 127 * 64],
] as const

const fourOf = (byte: number): number => Math.imul(byte & 255, 0x01010101)

/**
 * A module of two functions, on numbers in all lanes: `madd(a, b, c)` is f32x4.relaxed_madd, `dot(a, b, c)`
 * i32x4.relaxed_dot_i8x16_i7x16_add_s.
 */
const PROBE = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // Types (f32, f32, f32) -> f32 and (i32, i32, i32) -> i32; a function of each; their names.
  ...[0x01, 0x0f, 0x02, 0x60, 0x03, 0x7d, 0x7d, 0x7d, 0x01, 0x7d, 0x60, 0x03, 0x7f, 0x7f, 0x7f, 0x01, 0x7f],
  ...[0x03, 0x03, 0x02, 0x00, 0x01],
  ...[0x07, 0x0e, 0x02, 0x04, 0x6d, 0x61, 0x64, 0x64, 0x00, 0x00, 0x03, 0x64, 0x6f, 0x74, 0x00, 0x01],
  ...[0x0a, 0x2b, 0x02],
  // Each argument in all lanes, the instruction, the first lane of its result.
  ...[0x14, 0x00, 0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13, 0x20, 0x02, 0xfd, 0x13, 0xfd, 0x85, 0x02],
  ...[0xfd, 0x1f, 0x00, 0x0b],
  ...[0x14, 0x00, 0x20, 0x00, 0xfd, 0x11, 0x20, 0x01, 0xfd, 0x11, 0x20, 0x02, 0xfd, 0x11, 0xfd, 0x93, 0x02],
  ...[0xfd, 0x1b, 0x00, 0x0b],
])
