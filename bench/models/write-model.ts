/** Writes GGUF files of any size with random weights: the header at once, tensors in pieces. */
import { createCipheriv } from 'node:crypto'
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { weightBytes } from '../../src/tensor/dtype.ts'
import { type GgufValue, ggufHeader } from '../../test/support/gguf-writer.ts'
import { Rng } from '../../test/support/rng.ts'

const GGML = { f32: 0, q4_0: 2, q8_0: 8 } as const
const ALIGNMENT = 32
/** Blocks that are random; larger tensors repeat them. */
const PIECE_BLOCKS = 1 << 19

export interface RandomTensor {
  readonly name: string
  /** Innermost first, as in the file. */
  readonly ne: readonly number[]
  /** Of f32: ones where the name speaks of a norm or of rates of decay, else normal with deviation 0.02. */
  readonly type: keyof typeof GGML
}

export interface RandomModel {
  readonly metadata: Readonly<Record<string, GgufValue>>
  readonly tensors: readonly RandomTensor[]
}

/** The same bytes every time; written aside and renamed, so that a file that is there is whole. */
export function writeModel(path: string, { metadata, tensors }: RandomModel): void {
  const aside = `${path}.${process.pid}`
  const file = openSync(aside, 'w')
  try {
    let end = 0
    const infos = tensors.map(({ name, ne, type }) => {
      const offset = end
      end = roundUp(end + weightBytes(type, count(ne), 1))
      return { name, ne, type: GGML[type], offset }
    })
    writeSync(file, ggufHeader(metadata, infos, { alignment: ALIGNMENT }))
    for (const tensor of tensors) {
      let bytes = 0
      for (const piece of pieces(tensor)) bytes += writeSync(file, piece)
      writeSync(file, new Uint8Array(roundUp(bytes) - bytes))
    }
  } finally {
    closeSync(file)
  }
  renameSync(aside, path)
}

function* pieces({ name, ne, type }: RandomTensor): Generator<Uint8Array> {
  const n = count(ne)
  if (type === 'f32') {
    const floats = /norm|ssm_a/.test(name) ? new Float32Array(n).fill(1) : new Rng(name).normals(n, 0.02)
    yield new Uint8Array(floats.buffer)
    return
  }
  const blockBytes = weightBytes(type, 32, 1)
  const blocks = randomBlocks(type, Math.min(n / 32, PIECE_BLOCKS), blockBytes, name)
  for (let left = n / 32; left > 0; left -= PIECE_BLOCKS) {
    yield blocks.subarray(0, Math.min(left, PIECE_BLOCKS) * blockBytes)
  }
}

/** Weights within about 0.05: each block's scale, an f16, and random codes behind it. */
function randomBlocks(type: 'q4_0' | 'q8_0', blocks: number, blockBytes: number, seed: string): Uint8Array {
  const key = new Uint8Array(16)
  new TextEncoder().encodeInto(seed, key)
  const bytes = createCipheriv('aes-128-ctr', key, new Uint8Array(16)).update(new Uint8Array(blocks * blockBytes))
  const scale = type === 'q8_0' ? 0x0e73 : 0x1e66 // 0.05 / 127 and 0.05 / 8
  for (let at = 0; at < bytes.length; at += blockBytes) bytes.writeUInt16LE(scale, at)
  return bytes
}

function count(ne: readonly number[]): number {
  return ne.reduce((n, d) => n * d, 1)
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
