import { UnsupportedModelError } from '../../../errors.ts'
import { quote } from '../../quote.ts'
import type { GgufTensor } from '../header.ts'
import type { Metadata } from '../metadata.ts'
import { refuseOtherKinds } from '../other-kinds.ts'
import type { Architecture } from './architecture.ts'
import { deepseek2 } from './deepseek2.ts'
import { falcon } from './falcon.ts'
import { gemma3 } from './gemma3.ts'
import { gpt2 } from './gpt2.ts'
import { llama, qwen2, qwen3 } from './llama.ts'
import { minicpm3 } from './minicpm3.ts'

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
