import { CheckpointError } from '../errors.ts'
import type { ByteSource } from '../tensor/bytes.ts'
import type { CheckpointContents } from './checkpoint.ts'
import { refuseWithoutWeights } from './other-folders.ts'
import { listed, quote } from './quote.ts'
import { readSafetensorsHeader, type SafetensorsFile } from './safetensors/safetensors.ts'
import { readShardIndex, type ShardIndex } from './safetensors/shard-index.ts'
import type { CheckpointFiles } from './source/checkpoint-files.ts'
import { mapConcurrently } from './source/concurrency.ts'
import type { TensorEntry } from './tensor-entry.ts'

export const SINGLE_FILE = 'model.safetensors'
export const INDEX_FILE = 'model.safetensors.index.json'

/** Headers read concurrently. */
const READERS = 8

export type Tensors = Pick<CheckpointContents, 'tensors' | 'absent' | 'warnings'>

const SHARD_NAME = /^(.+)-(\d{5})-of-(\d{5})\.safetensors$/

/** Whether the name is that of one of several shards. */
export function isShardName(name: string): boolean {
  return Number(SHARD_NAME.exec(name)?.[3] ?? 0) > 1
}

/**
 * The tensors of the file that the user gave, else of model.safetensors, else of the shards in the index; without an
 * index, of a complete set of numbered shards or of the only safetensors file.
 */
export async function readWeightFiles(files: CheckpointFiles): Promise<Tensors> {
  const single = files.safetensors ?? (files.names.has(SINGLE_FILE) ? SINGLE_FILE : undefined)
  if (single !== undefined) return readFiles(files, [single], [])
  if (files.names.has(INDEX_FILE)) return readShards(files, await files.open(INDEX_FILE))
  const others = [...files.names].filter(isWeightsName).sort()
  const [first] = others
  if (first !== undefined && others.every(isShardName)) {
    return readFiles(files, completeSet(files, others), [
      `${files.name} has no ${INDEX_FILE}; its shards are taken as named`,
    ])
  }
  if (first !== undefined && others.length === 1) {
    return readFiles(files, [first], [`${files.name} has no ${SINGLE_FILE}; ${quote(first)} is taken for it`])
  }
  if (others.length > 1) {
    throw new CheckpointError(
      `${files.name} has no ${SINGLE_FILE}, but ${listed(others)}; give the path of one of them, or add ${INDEX_FILE}`,
    )
  }
  return refuseWithoutWeights(files)
}

/** Whether a file's name suggests weights. Folders hold other tensors too: adapters, optimiser states, expected numbers. */
function isWeightsName(name: string): boolean {
  return /^(?!adapter)[\w.-]*(model|weights|consolidated)[\w.-]*\.safetensors$/i.test(name) || isShardName(name)
}

/** All shards of one set, in order. */
function completeSet(files: CheckpointFiles, shards: readonly string[]): string[] {
  const [, prefix = '', , total = ''] = SHARD_NAME.exec(shards[0] as string) ?? []
  return Array.from({ length: Number(total) }, (_, i) => {
    const shard = `${prefix}-${String(i + 1).padStart(5, '0')}-of-${total}.safetensors`
    if (files.names.has(shard)) return shard
    throw new CheckpointError(`${files.name} has no ${shard}, one of ${Number(total)} shards; download it`)
  })
}

async function readFiles(
  files: CheckpointFiles,
  names: readonly string[],
  warnings: readonly string[],
): Promise<Tensors> {
  const headers = await readHeaders(files, names)
  const tensors = new Map<string, TensorEntry>()
  for (const { source, tensors: own } of headers) {
    for (const [name, entry] of own) {
      const other = tensors.get(name)?.bytes.source.name
      if (other !== undefined) {
        throw new CheckpointError(`${source.path ?? source.name}: tensor ${quote(name)} is in ${other} too`)
      }
      tensors.set(name, entry)
    }
  }
  return { tensors, warnings }
}

async function readShards(files: CheckpointFiles, indexSource: ByteSource): Promise<Tensors> {
  const index = await readShardIndex(indexSource)
  const there = index.shards.filter(shard => files.names.has(shard))
  if (there.length === 0) {
    throw new CheckpointError(
      `${files.name} has no ${index.shards[0]}, which ${INDEX_FILE} names, nor any other of its shards; download it again`,
    )
  }
  const { tensors, extra } = merge(index, there, await readHeaders(files, there))
  const absent = new Map([...index.weightMap].filter(([name]) => !tensors.has(name)))
  return { tensors, absent, warnings: findOddities(files, index.shards, extra, absent) }
}

function readHeaders(files: CheckpointFiles, names: readonly string[]): Promise<SafetensorsFile[]> {
  return mapConcurrently(names, READERS, async name => readSafetensorsHeader(await files.open(name)))
}

/** Takes each tensor from the shard that the index names for it. Tensors that the index does not name are extra. */
function merge({ weightMap }: ShardIndex, shards: readonly string[], headers: readonly SafetensorsFile[]) {
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

function findOddities(
  files: CheckpointFiles,
  shards: readonly string[],
  extra: readonly string[],
  absent: ReadonlyMap<string, string>,
): string[] {
  const warnings: string[] = []
  if (absent.size > 0) {
    const gone = shards.filter(shard => !files.names.has(shard))
    const why = gone.length > 0 ? ` (without ${listed(gone)})` : ''
    const met = `names what no file here has${why}: ${absent.size === 1 ? 'tensor' : 'tensors'} ${listed([...absent.keys()])}`
    warnings.push(`${files.name}: ${INDEX_FILE} ${met}`)
  }
  if (extra.length > 0) {
    warnings.push(
      `${files.name}: ${INDEX_FILE} does not name ${extra.length} tensors of its shards, such as ${listed(extra)}`,
    )
  }
  const known = new Set(shards)
  const stray = [...files.names].filter(name => /^model-.*\.safetensors$/.test(name) && !known.has(name))
  if (stray.length > 0) {
    warnings.push(`${files.name}: ${INDEX_FILE} does not name ${stray.slice(0, 3).join(', ')}; left out`)
  }
  return warnings
}
