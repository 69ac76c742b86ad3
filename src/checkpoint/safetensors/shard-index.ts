import { CheckpointError } from '../../errors.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { readJson } from '../json-file.ts'
import { quote } from '../quote.ts'

/** Bytes. DeepSeek-V3's index has 9 MB, Kimi-K2's 13 MB. */
const MAX_INDEX = 128 << 20

/** `model.safetensors.index.json`: which shard holds each tensor. */
export interface ShardIndex {
  /** Distinct file names, sorted. */
  readonly shards: readonly string[]
  /** File name by tensor name. */
  readonly weightMap: ReadonlyMap<string, string>
}

export async function readShardIndex(source: ByteSource): Promise<ShardIndex> {
  const where = source.path ?? source.name
  const { weight_map: map } = await readJson(source, MAX_INDEX)
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new CheckpointError(`${where}: "weight_map" is not an object; expected the file name of each tensor`)
  }
  const weightMap = new Map<string, string>()
  const shards = new Set<string>()
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !isPlainFileName(file)) {
      const met = typeof file === 'string' ? quote(file) : `a ${typeof file}`
      throw new CheckpointError(
        `${where}: tensor ${quote(tensor)} is said to be in ${met}; expected the name of a .safetensors file beside it`,
      )
    }
    weightMap.set(tensor, file)
    shards.add(file)
  }
  if (shards.size === 0) throw new CheckpointError(`${where}: "weight_map" is empty; expected the model's tensors`)
  return { shards: [...shards].sort(), weightMap }
}

/** No folders, no drive letters, no `..`: a checkpoint's files lie in its own folder. */
function isPlainFileName(name: string): boolean {
  return name.length <= 255 && /^[^/\\:\p{Cc}]+\.safetensors$/u.test(name) && !name.startsWith('.')
}
