import type { Output } from '../output.ts'
import type { HubTensor } from './plan-tensors.ts'

/** Header: u64 length, then JSON, filled with spaces so that the tensors begin at a multiple of 8. */
export function safetensorsHeader(tensors: readonly HubTensor[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } }
  let at = 0
  for (const { name, type, shape, bytes } of tensors) {
    header[name] = { dtype: type.toUpperCase(), shape, data_offsets: [at, at + bytes] }
    at += bytes
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  const length = Math.ceil(json.length / 8) * 8
  const all = new Uint8Array(8 + length).fill(0x20)
  new DataView(all.buffer).setBigUint64(0, BigInt(length), true)
  all.set(json, 8)
  return all
}

export async function writeSafetensors(output: Output, tensors: readonly HubTensor[]): Promise<void> {
  await output.write(safetensorsHeader(tensors))
  for (const { name, source } of tensors) await output.writeMatrix(name, source)
}

export interface Shard {
  readonly file: string
  readonly tensors: readonly HubTensor[]
}

/** One file, or as many as it takes; wide numbers first, so that all are aligned. */
export function shardTensors(tensors: readonly HubTensor[], shardBytes: number): Shard[] {
  const shards: HubTensor[][] = [[]]
  let filled = 0
  for (const tensor of tensors) {
    if (filled > 0 && filled + tensor.bytes > shardBytes) {
      shards.push([])
      filled = 0
    }
    shards.at(-1)?.push(tensor)
    filled += tensor.bytes
  }
  const digits = (n: number) => String(n).padStart(5, '0')
  return shards.map((held, i) => ({
    file: shards.length === 1 ? 'model.safetensors' : `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`,
    tensors: [...held.filter(t => t.type === 'f32'), ...held.filter(t => t.type !== 'f32')],
  }))
}

/** model.safetensors.index.json */
export function shardIndex(shards: readonly Shard[]): object {
  const all = shards.flatMap(({ file, tensors }) => tensors.map(({ name, bytes }) => ({ file, name, bytes })))
  return {
    metadata: { total_size: all.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(all.map(({ name, file }) => [name, file])),
  }
}
