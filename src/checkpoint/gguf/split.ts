import { CheckpointError } from '../../errors.ts'
import { quote } from '../quote.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { mapConcurrently } from '../source/concurrency.ts'
import { type GgufFile, type GgufTensor, readGgufHeader } from './header.ts'
import type { Metadata } from './metadata.ts'
import { partNames } from './part-names.ts'

/** One model: a file, or a set of files that were split. */
export interface GgufSet {
  /** Of the first file: the only one that describes the model. */
  readonly metadata: Metadata
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

/** Headers read at the same time. */
const READERS = 8

/** Reads the headers of the set that `name` is any part of, and checks that the parts are each other's. */
export async function readGgufSet(files: CheckpointFiles, name: string): Promise<GgufSet> {
  const names = partNames(name)
  for (const part of names) {
    if (files.names.has(part)) continue
    throw new CheckpointError(`${files.name} has no ${part}, one of ${names.length} parts of the model; download it`)
  }
  const parts = await mapConcurrently(names, READERS, async part => readGgufHeader(await files.open(part)))
  const [first] = parts as [GgufFile, ...GgufFile[]]
  const count = first.metadata.optionalInt('split.count', { min: 0, max: 99_999 }) ?? 0
  if (count > 1 || parts.length > 1) for (const [i, part] of parts.entries()) checkPart(part, i, names)
  const tensors = merge(parts)
  const total = first.metadata.optionalInt('split.tensors.count')
  if (count > 1 && total !== undefined && total !== tensors.size) {
    first.metadata.fail('split.tensors.count', `${tensors.size}, as there are in the ${parts.length} parts`)
  }
  return { metadata: first.metadata, tensors }
}

function checkPart({ metadata }: GgufFile, index: number, names: readonly string[]): void {
  const count = metadata.int('split.count')
  if (count !== names.length) {
    metadata.fail(
      'split.count',
      `${names.length}; a part is named like …-00001-of-${String(count).padStart(5, '0')}.gguf`,
    )
  }
  if (metadata.int('split.no') !== index) metadata.fail('split.no', `${index}, as its name says`)
}

function merge(parts: readonly GgufFile[]): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>()
  for (const { source, tensors: own } of parts) {
    for (const [name, tensor] of own) {
      const other = tensors.get(name)?.bytes.source.name
      if (other !== undefined) {
        throw new CheckpointError(`${source.path ?? source.name}: tensor ${quote(name)} is in ${other} too`)
      }
      tensors.set(name, tensor)
    }
  }
  return tensors
}
