/**
 * Super-blocks of 256 whose parts of 16 or 32 have small scales of their own: value = d sc q (- dmin m). Codes of
 * several parts share a byte, part by part, two or four bits each.
 */
import { type BlockDecoder, f32, half } from './block.ts'

/** scales[16] (low nibble sc, high m), codes[64], d, dmin. */
export const q2_k: BlockDecoder = (bytes, at, y, to) => {
  const codes = at + 16
  const d = half(bytes, at + 80)
  const dmin = half(bytes, at + 82)
  for (let part = 0; part < 16; part++) {
    const scale = bytes[at + part]!
    const dl = f32(d * (scale & 15))
    const ml = f32(dmin * (scale >> 4))
    const { first, shift } = twoBitPart(part)
    for (let i = 0; i < 16; i++) {
      const q = (bytes[codes + first + i]! >> shift) & 3
      y[to + part * 16 + i] = f32(dl * q) - ml
    }
  }
}

/** third bits[32], codes[64], scales[12] (16 of 6 bits, less 32), d. A clear third bit stands for -4. */
export const q3_k: BlockDecoder = (bytes, at, y, to) => {
  const codes = at + 32
  const scales = at + 96
  const d = half(bytes, at + 108)
  for (let part = 0; part < 16; part++) {
    const nibble = (bytes[scales + (part & 7)]! >> (part < 8 ? 0 : 4)) & 15
    const top = (bytes[scales + 8 + (part & 3)]! >> (2 * (part >> 2))) & 3
    const dl = f32(d * ((nibble | (top << 4)) - 32))
    const { first, shift } = twoBitPart(part)
    for (let i = 0; i < 16; i++) {
      const q = (bytes[codes + first + i]! >> shift) & 3
      const third = (bytes[at + (part & 1) * 16 + i]! >> (part >> 1)) & 1
      y[to + part * 16 + i] = dl * (q - (third ? 0 : 4))
    }
  }
}

/** d, dmin, scales[12], codes[128]: per 64 elements 32 low nibbles, then 32 high ones. */
export const q4_k: BlockDecoder = (bytes, at, y, to) => {
  for (let part = 0; part < 8; part++) {
    const { dl, ml } = scaleAndMin(bytes, at, part)
    const codes = at + 16 + (part >> 1) * 32
    const shift = (part & 1) * 4
    for (let i = 0; i < 32; i++) {
      y[to + part * 32 + i] = f32(dl * ((bytes[codes + i]! >> shift) & 15)) - ml
    }
  }
}

/** As q4_k, with fifth bits[32] before the codes: bit p of byte i belongs to element i of part p. */
export const q5_k: BlockDecoder = (bytes, at, y, to) => {
  for (let part = 0; part < 8; part++) {
    const { dl, ml } = scaleAndMin(bytes, at, part)
    const codes = at + 48 + (part >> 1) * 32
    const shift = (part & 1) * 4
    for (let i = 0; i < 32; i++) {
      const fifth = ((bytes[at + 16 + i]! >> part) & 1) << 4
      y[to + part * 32 + i] = f32(dl * (((bytes[codes + i]! >> shift) & 15) | fifth)) - ml
    }
  }
}

/** low nibbles[128], upper two bits[64], scales i8[16], d. */
export const q6_k: BlockDecoder = (bytes, at, y, to) => {
  const d = half(bytes, at + 208)
  for (let part = 0; part < 8; part++) {
    const quarter = part & 3 // of 128 elements
    const low = at + (part >> 2) * 64 + (quarter & 1) * 32
    const upper = at + 128 + (part >> 2) * 32
    const shift = (quarter >> 1) * 4
    for (let i = 0; i < 32; i++) {
      const scale = (bytes[at + 192 + part * 2 + (i >> 4)]! << 24) >> 24
      const nibble = (bytes[low + i]! >> shift) & 15
      const top = (bytes[upper + i]! >> (2 * quarter)) & 3
      y[to + part * 32 + i] = f32(d * scale) * ((nibble | (top << 4)) - 32)
    }
  }
}

/** Where the two-bit codes of a part of 16 lie: per 128 elements 32 bytes, first the lowest bits of all of them. */
function twoBitPart(part: number): { readonly first: number; readonly shift: number } {
  return { first: (part >> 3) * 32 + (part & 1) * 16, shift: ((part >> 1) & 3) * 2 }
}

/** The eight pairs of 6 bits that q4_k and q5_k pack into 12 bytes, times d and dmin. */
function scaleAndMin(bytes: Uint8Array, at: number, part: number): { readonly dl: number; readonly ml: number } {
  const s = at + 4
  let scale = bytes[s + part]! & 63
  let min = bytes[s + part + 4]! & 63
  if (part >= 4) {
    const low = bytes[s + part + 4]!
    scale = (low & 15) | ((bytes[s + part - 4]! >> 6) << 4)
    min = (low >> 4) | ((bytes[s + part]! >> 6) << 4)
  }
  return { dl: f32(half(bytes, at) * scale), ml: f32(half(bytes, at + 2) * min) }
}
