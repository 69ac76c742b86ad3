/** GGUF files that are no language model by themselves. */
import { UnsupportedModelError } from '../../errors.ts'
import { quote } from '../quote.ts'
import type { GgufTensor } from './header.ts'
import type { Metadata } from './metadata.ts'

const TEXT_MODEL = "give the path of the language model's own GGUF file"

/** By `general.type`. */
const BY_TYPE: Readonly<Record<string, string>> = {
  adapter: `is a LoRA adapter, not a model; ${TEXT_MODEL}, and the adapter as lora (--lora)`,
  mmproj: `is the projector of a model that sees or hears (mmproj); ${TEXT_MODEL}`,
  imatrix: `holds what a quantisation is weighted with (imatrix), no model; ${TEXT_MODEL}`,
  dataset: `holds a data set, no model; ${TEXT_MODEL}`,
}

/** By `general.architecture`. */
const BY_ARCHITECTURE: readonly { readonly names: RegExp; readonly is: string }[] = [
  { names: /^clip$|^mmproj/, is: BY_TYPE.mmproj as string },
  { names: /^imatrix$/, is: BY_TYPE.imatrix as string },
  {
    names: /bert|^t5encoder$|embedding|^(nomic|jina|gte|bge)/,
    is: 'turns texts into vectors in a way that is not known here',
  },
  {
    names: /^(flux|sd\d|sdxl|aura|hyvid|hunyuan_video|wan|ltxv|hidream|cosmos|lumina\d?|qwen_image|pig|cow|chroma)/,
    is: 'makes pictures or films',
  },
  { names: /^(wavtokenizer|whisper|snac|mimi)/, is: 'is about sound' },
  {
    names: /^t5$/,
    is: 'has an encoder and a decoder: such a model is read from the folder of safetensors that the file was made from',
  },
  { names: /^(mamba|rwkv|arwkv|jamba)/, is: 'keeps a state in place of keys and values' },
]

/** Throws UnsupportedModelError that says what the file is. */
export function refuseOtherKinds(
  m: Metadata,
  tensors: ReadonlyMap<string, GgufTensor>,
  architectures: readonly string[],
): void {
  const known = architectures.join(', ')
  const type = m.raw('general.type')
  const byType = typeof type === 'string' && Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined
  if (byType !== undefined) throw new UnsupportedModelError(`${m.file} ${byType}`)
  const name = m.architecture
  const other = BY_ARCHITECTURE.find(({ names }) => names.test(name))
  if (other && !architectures.includes(name)) {
    throw new UnsupportedModelError(`${m.file}: architecture ${quote(name)} ${other.is}; latentkit runs ${known}`)
  }
  if (tensors.size === 0 && m.has('tokenizer.ggml.tokens')) {
    throw new UnsupportedModelError(`${m.file} holds a vocabulary only, no weights; ${TEXT_MODEL}`)
  }
}
