/** Errors for folders without a model in the hub's format: they name the format that is there, and a remedy. */
import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import { readJson } from './json-file.ts'
import { listed, quote } from './quote.ts'
import type { CheckpointFiles } from './source/checkpoint-files.ts'

const EXPECTED = 'expected model.safetensors or model.safetensors.index.json with its shards'

/** Formats by their file names, the most specific first. */
const FORMS: readonly { readonly names: RegExp; readonly advice: string }[] = [
  {
    names: /\.(incomplete|part|partial|crdownload|aria2|download)$/,
    advice: 'It is a download that was broken off: finish it',
  },
  {
    names: /^consolidated\.|^params\.json$/,
    advice: "It is its maker's own form: take the files with the hub's names",
  },
  { names: /^ggml.*\.bin$/, advice: 'It is GGML from before GGUF: convert the model again' },
  { names: /\.(bin|pth?|ckpt|nemo)$/, advice: 'It is in the form of PyTorch: convert it to safetensors' },
  { names: /\.onnx(_data)?$/, advice: 'It is in the form of ONNX: take the safetensors of the model' },
  {
    names: /\.(h5|msgpack|tflite|ot|mlmodel|npz)$|^openvino_model\.xml$/,
    advice: 'It is in the form of another engine: take the safetensors of the model',
  },
  { names: /\.gguf$/i, advice: 'Give the path of the GGUF file' },
]

/** Whether a folder has nothing that may be weights, in whatever format, whole or not. */
export function isWithoutWeights({ names }: CheckpointFiles): boolean {
  const weights = [/\.safetensors(\.index\.json)?$|^adapter_/i, ...FORMS.map(form => form.names)]
  return [...names].every(name => !weights.some(pattern => pattern.test(name)))
}

/** Always throws: UnsupportedModelError if another format is there, CheckpointError if there are no weights at all. */
export async function refuseWithoutWeights(files: CheckpointFiles): Promise<never> {
  await refuseAdapter(files)
  const others = [...files.names].sort()
  for (const { names, advice } of FORMS) {
    const found = others.filter(name => names.test(name))
    if (found.length === 0) continue
    throw new UnsupportedModelError(`${files.name} has ${listed(found)}; ${EXPECTED}. ${advice}.`)
  }
  throw new CheckpointError(`${files.name} has no weights at all; ${EXPECTED}`)
}

/** Always throws: names what the folder holds instead of a model with a config.json. */
export async function refuseWithoutConfig(files: CheckpointFiles): Promise<never> {
  await refuseAdapter(files)
  const { name, names } = files
  const [, org, repo] = /models--([^/\\]+?)--([^/\\]+)[/\\]?$/.exec(name) ?? []
  if (org !== undefined) {
    throw new CheckpointError(
      `${name} is a folder of the hub's cache; give one of its snapshots (snapshots/COMMIT) or the name ${org}/${repo}`,
    )
  }
  if (names.has('model_index.json')) {
    throw new UnsupportedModelError(
      `${name} holds a pipeline that makes pictures (model_index.json), no language model`,
    )
  }
  if (files.safetensors !== undefined) {
    throw new CheckpointError(`${name} has no config.json beside it; a safetensors file holds weights only. Add it`)
  }
  const others = [...names].sort()
  for (const { names: kind, advice } of FORMS) {
    const found = others.filter(file => kind.test(file))
    if (found.length === 0) continue
    const expected = 'expected the files of a model as the hub has them'
    throw new UnsupportedModelError(`${name} has no config.json, but ${listed(found)}; ${expected}. ${advice}.`)
  }
  throw new CheckpointError(`${name} has no config.json; expected the files of a model as the hub has them`)
}

const ADAPTER = 'adapter_config.json'

async function refuseAdapter(files: CheckpointFiles): Promise<void> {
  if (!files.names.has(ADAPTER)) return
  const { base_model_name_or_path: base } = await readJson(await files.open(ADAPTER), 1 << 20).catch(
    (): Readonly<Record<string, unknown>> => ({}),
  )
  const of = typeof base === 'string' ? ` for ${quote(base)}` : ''
  throw new UnsupportedModelError(
    `${files.name} is an adapter${of} (${ADAPTER}, as PEFT writes it), not a model; give its base model, and the adapter as lora (--lora)`,
  )
}
