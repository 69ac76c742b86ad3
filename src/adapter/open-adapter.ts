import { findGguf } from '../checkpoint/gguf/find-gguf.ts'
import type { CheckpointFiles } from '../checkpoint/source/checkpoint-files.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import type { Adapter } from './adapter.ts'
import { openGgufAdapter } from './gguf-file.ts'
import { ADAPTER_CONFIG, openPeft } from './peft-files.ts'

/**
 * An adapter in PEFT's folder or in llama.cpp's GGUF file; names and rows of the latter are those of the `base` model's architecture. Reads no
 * weights. Throws CheckpointError for files that are missing, damaged or for another model, UnsupportedModelError for kinds of adapters that
 * are not computed here, by their name.
 */
export async function openAdapter(files: CheckpointFiles, base: OpenedModel): Promise<Adapter> {
  const gguf = files.names.has(ADAPTER_CONFIG) || files.names.has('config.json') ? files.gguf : findGguf(files)
  return gguf === undefined ? openPeft(files) : openGgufAdapter(files, gguf, base)
}
