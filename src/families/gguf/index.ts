import type { GgufTensor } from '../../checkpoint/gguf/header.ts'
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import { refuseOtherKinds } from '../../checkpoint/gguf/other-kinds.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { deepseek2 } from '../deepseek/gguf.ts'
import { falcon } from '../falcon/gguf.ts'
import { gemma3 } from '../gemma3/gguf.ts'
import { gpt2 } from '../gpt/gguf.ts'
import { llama, qwen2, qwen3 } from '../llama/gguf.ts'
import { minicpm3 } from '../minicpm3/gguf.ts'
import type { Architecture } from './architecture.ts'

/** By `general.architecture`. */
export const ARCHITECTURES = {
  deepseek2,
  llama,
  qwen2,
  qwen3,
  gemma3,
  minicpm3,
  falcon,
  gpt2,
} as const satisfies Readonly<Record<string, Architecture>>

export type ArchitectureName = keyof typeof ARCHITECTURES

/** Throws UnsupportedModelError for other kinds of files and other architectures. */
export function architectureOf(metadata: Metadata, tensors: ReadonlyMap<string, GgufTensor>): Architecture {
  const known = Object.keys(ARCHITECTURES).join(', ')
  refuseOtherKinds(metadata, tensors, known)
  const name = metadata.architecture
  const found = Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name as ArchitectureName] : undefined
  if (found) return found
  throw new UnsupportedModelError(
    `${metadata.file}: architecture ${quote(name)} is not supported; latentkit runs ${known}`,
  )
}
