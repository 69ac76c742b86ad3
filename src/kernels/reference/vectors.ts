/** Cached vectors as they lie in memory: numbers, or codes with scales behind them. */

import { decode, E4M3, encode } from '../../quant/halves.ts'
import { type CacheType, isScaled, SCALE_EVERY, type ScaledCacheType, scalesAt } from '../../tensor/dtype.ts'
import { readNumbers, writeNumbers } from './convert.ts'
import type { Memory } from './memory.ts'

export function readVector(memory: Memory, address: number, type: CacheType, to: Float32Array, what: string): void {
  if (!isScaled(type)) {
    const { data, start } = memory.at(address, type, to.length, what)
    readNumbers(to, data, start, type)
    return
  }
  const { codes, scales, shared } = openScaled(memory, address, type, to.length, what)
  for (let i = 0; i < to.length; i++) to[i] = fromCode(codes[i]!, type) * scales[Math.floor(i / shared)]!
}

export function writeVector(memory: Memory, address: number, type: CacheType, from: Float32Array, what: string): void {
  if (!isScaled(type)) {
    const { data, start } = memory.at(address, type, from.length, what)
    writeNumbers(data, start, from, type)
    return
  }
  const { codes, scales, shared } = openScaled(memory, address, type, from.length, what)
  for (let s = 0; s < scales.length; s++) {
    const part = from.subarray(s * shared, (s + 1) * shared)
    const scale = scaleOf(part, type)
    scales[s] = scale
    part.forEach((x, i) => {
      codes[s * shared + i] = scale > 0 ? toCode(Math.fround(x / scale), type) : 0
    })
  }
}

function openScaled(memory: Memory, address: number, type: ScaledCacheType, width: number, what: string) {
  const shared = Math.min(width, SCALE_EVERY[type])
  const codes = memory.at(address, 'u8', width, what)
  const n = Math.ceil(width / shared)
  const scales = memory.at(address + scalesAt(width), 'f32', n, `${what}: scales`)
  return {
    codes: codes.data.subarray(codes.start, codes.start + width),
    scales: scales.data.subarray(scales.start, scales.start + n),
    shared,
  }
}

const LARGEST: Readonly<Record<ScaledCacheType, number>> = { int8: 127, fp8: 448 }

/** NaN where a number is not finite. */
function scaleOf(numbers: Float32Array, type: ScaledCacheType): number {
  const largest = numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  return Number.isFinite(largest) ? Math.fround(largest / LARGEST[type]) : Number.NaN
}

function fromCode(code: number, type: ScaledCacheType): number {
  return type === 'fp8' ? decode(code, E4M3) : (code << 24) >> 24
}

function toCode(x: number, type: ScaledCacheType): number {
  if (type === 'fp8') return encode(x, E4M3)
  const up = Math.round(x)
  return (up - x === 0.5 && up % 2 !== 0 ? up - 1 : up) & 0xff
}
