/** llama.cpp's architectures that some family here is written in. */
import type { GgufTensor } from '../checkpoint/gguf/header.ts'
import type { Metadata } from '../checkpoint/gguf/metadata.ts'
import { refuseOtherKinds } from '../checkpoint/gguf/other-kinds.ts'
import { quote } from '../checkpoint/quote.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Architecture } from './gguf/architecture.ts'
import { FAMILIES } from './index.ts'

/** Of a file. Throws UnsupportedModelError for other kinds of files and other architectures. */
export function architectureOf(metadata: Metadata, tensors: ReadonlyMap<string, GgufTensor>): Architecture {
  const all = new Map(FAMILIES.flatMap(({ gguf }) => (gguf ? [[gguf.name, gguf]] : [])))
  const known = [...all.keys()]
  refuseOtherKinds(metadata, tensors, known)
  const found = all.get(metadata.architecture)
  if (found) return found
  throw new UnsupportedModelError(
    `${metadata.file}: architecture ${quote(metadata.architecture)} is not supported; latentkit runs ${known.join(', ')}`,
  )
}

/** For a model of the hub. Throws UnsupportedModelError where GGUF has none. */
export function architectureFor(modelType: string): Architecture {
  const found = FAMILIES.find(family => family.traits.modelTypes.includes(modelType))?.gguf
  if (found) return found
  const known = FAMILIES.flatMap(({ gguf, traits }) => (gguf ? traits.modelTypes : []))
  throw new UnsupportedModelError(
    `A model of type ${JSON.stringify(modelType)} has no architecture in GGUF; there are ${known.join(', ')}`,
  )
}
