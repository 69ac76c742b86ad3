/** The bytes of a GGUF file, version 3, little-endian: header, then tensors one by one. */
import { ggmlIdOf } from '../../checkpoint/gguf/ggml-types.ts'
import { ByteWriter, type GgufKeys } from '../../checkpoint/gguf/keys.ts'
import type { Output } from '../output.ts'
import type { TensorToWrite } from './plan-tensors.ts'

const MAGIC = 0x46554747 // "GGUF"
const VERSION = 3
const ALIGNMENT = 32

/** Header with its padding. */
export function ggufHeader(keys: GgufKeys, tensors: readonly TensorToWrite[]): Uint8Array {
  const writer = new ByteWriter()
  writer.u32(MAGIC)
  writer.u32(VERSION)
  writer.u64(tensors.length)
  writer.u64(keys.entries.size)
  for (const [key, value] of keys.entries) {
    writer.text(key)
    writer.value(value)
  }
  let offset = 0
  for (const { name, type, shape, bytes } of tensors) {
    writer.text(name)
    writer.u32(shape.length)
    for (const size of [...shape].reverse()) writer.u64(size)
    writer.u32(ggmlIdOf(type) as number)
    writer.u64(offset)
    offset = aligned(offset + bytes)
  }
  writer.zerosTo(aligned(writer.length))
  return writer.written
}

/** Bytes of the whole file. */
export function ggufSize(header: Uint8Array, tensors: readonly TensorToWrite[]): number {
  return tensors.reduce((end, { bytes }) => aligned(end + bytes), header.length)
}

export async function writeGguf(output: Output, header: Uint8Array, tensors: readonly TensorToWrite[]): Promise<void> {
  await output.write(header)
  for (const { name, parts } of tensors) {
    for (const part of parts) await output.writeMatrix(name, part)
    await output.write(new Uint8Array(aligned(output.position) - output.position))
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT
}
