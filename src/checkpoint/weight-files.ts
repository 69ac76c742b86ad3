import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import type { ByteSource } from '../tensor/bytes.ts'
import type { CheckpointContents } from './checkpoint.ts'
import type { CheckpointFiles } from './checkpoint-files.ts'
import { mapConcurrently } from './concurrency.ts'
import { quote } from './quote.ts'
import { readSafetensorsHeader, type SafetensorsFile } from './safetensors.ts'
import { readShardIndex, type ShardIndex } from './shard-index.ts'
import type { TensorEntry } from './tensor-entry.ts'

export const SINGLE_FILE = 'model.safetensors'
export const INDEX_FILE = 'model.safetensors.index.json'

/** Headers read at the same time. */
const READERS = 8

export type Tensors = Pick<CheckpointContents, 'tensors' | 'warnings'>

/**
 * The tensors of model.safetensors or, where that is not, of the shards that the index names; every tensor must be in
 * the shard that the index says.
 */
export async function readWeightFiles(files: CheckpointFiles): Promise<Tensors> {
  if (files.names.has(SINGLE_FILE)) {
    const { tensors } = await readSafetensorsHeader(await files.open(SINGLE_FILE))
    return { tensors, warnings: [] }
  }
  if (files.names.has(INDEX_FILE)) return readShards(files, await files.open(INDEX_FILE))
  const others = [...files.names].filter(name => /\.(safetensors|bin|pth?|gguf|onnx|h5|msgpack)$/.test(name))
  const met =
    others.length === 0
      ? 'no weights at all'
      : others
          .slice(0, 3)
          .map(name => quote(name))
          .join(', ')
  const Failure = others.length === 0 ? CheckpointError : UnsupportedModelError
  throw new Failure(`${files.name} has ${met}; expected ${SINGLE_FILE} or ${INDEX_FILE} with its shards`)
}

async function readShards(files: CheckpointFiles, indexSource: ByteSource): Promise<Tensors> {
  const index = await readShardIndex(indexSource)
  for (const shard of index.shards) {
    if (files.names.has(shard)) continue
    throw new CheckpointError(`${files.name} has no ${shard}, which ${INDEX_FILE} names; download it again`)
  }
  const headers = await mapConcurrently(index.shards, READERS, async shard =>
    readSafetensorsHeader(await files.open(shard)),
  )
  const { tensors, extra } = merge(index, headers)
  for (const [name, shard] of index.weightMap) {
    if (tensors.has(name)) continue
    throw new CheckpointError(
      `${files.name}: ${INDEX_FILE} says that ${shard} holds tensor ${quote(name)}; it does not`,
    )
  }
  return { tensors, warnings: findOddities(files, index.shards, extra) }
}

/** The index decides which copy of a tensor counts; tensors that it does not place are extra. */
function merge({ shards, weightMap }: ShardIndex, headers: readonly SafetensorsFile[]) {
  const tensors = new Map<string, TensorEntry>()
  const extra: string[] = []
  headers.forEach((header, i) => {
    for (const [name, entry] of header.tensors) {
      if (weightMap.get(name) === shards[i]) tensors.set(name, entry)
      else extra.push(name)
    }
  })
  return { tensors, extra }
}

function findOddities(files: CheckpointFiles, shards: readonly string[], extra: readonly string[]): string[] {
  const warnings: string[] = []
  if (extra.length > 0) {
    const shown = extra
      .slice(0, 3)
      .map(name => quote(name))
      .join(', ')
    warnings.push(`${files.name}: ${INDEX_FILE} does not name ${extra.length} tensors of its shards, such as ${shown}`)
  }
  const known = new Set(shards)
  const stray = [...files.names].filter(name => /^model-.*\.safetensors$/.test(name) && !known.has(name))
  if (stray.length > 0) {
    warnings.push(`${files.name}: ${INDEX_FILE} does not name ${stray.slice(0, 3).join(', ')}; left out`)
  }
  return warnings
}
