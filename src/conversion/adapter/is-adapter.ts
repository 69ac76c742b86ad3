import { ADAPTER_TYPE } from '../../adapter/gguf-file.ts'
import { ADAPTER_CONFIG } from '../../adapter/peft-files.ts'
import { modelFiles } from '../../checkpoint/find/folder.ts'
import { findGguf } from '../../checkpoint/gguf/find-gguf.ts'
import { earlyValue } from '../../checkpoint/gguf/header.ts'
import { readJson } from '../../checkpoint/json-file.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { INDEX_FILE, SINGLE_FILE } from '../../checkpoint/weight-files.ts'

/** Keys before which a file says what it is. */
const EARLY = 64
/** Bytes. */
const MAX_CONFIG = 8 << 20

export interface FoundAdapter {
  readonly files: CheckpointFiles
  /** The model that it says it is for. */
  readonly base?: string
}

/** The files of an adapter; null: the path is a model, or nothing. */
export async function adapterAt(path: string): Promise<FoundAdapter | null> {
  const files = await modelFiles(path)
  if (files.names.has(SINGLE_FILE) || files.names.has(INDEX_FILE)) return null
  if (files.gguf === undefined && files.names.has(ADAPTER_CONFIG)) {
    const { base_model_name_or_path: base } = await readJson(await files.open(ADAPTER_CONFIG), MAX_CONFIG)
    return { files, ...(typeof base === 'string' && base !== '' && { base }) }
  }
  const gguf = findGguf(files)
  if (gguf === undefined) return null
  return (await earlyValue(await files.open(gguf), 'general.type', EARLY)) === ADAPTER_TYPE ? { files } : null
}
