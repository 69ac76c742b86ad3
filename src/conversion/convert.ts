/** `latentkit convert`: a model from one form of files into the other. */
import { readdir, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import type { Adapter } from '../adapter/adapter.ts'
import { merged } from '../adapter/merge.ts'
import { openAdapter } from '../adapter/open-adapter.ts'
import { checkAdapter } from '../adapter/prepared.ts'
import { modelFiles } from '../checkpoint/find/folder.ts'
import { resolveModel } from '../checkpoint/find/resolve-model.ts'
import { FIND_OPTIONS } from '../checkpoint/find-options.ts'
import { hubSettings } from '../checkpoint/hub/options.ts'
import { OptionError } from '../errors.ts'
import { openModel } from '../model/open/open-model.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { choice, flag, type OptionTable, text, whole } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import { sentence } from '../printable.ts'
import { ENCODABLE_TYPES, type EncodableType } from '../quant/numbers.ts'
import { prepareAdapterFolder } from './adapter/folder.ts'
import { prepareAdapterGguf } from './adapter/gguf.ts'
import { adapterAt, type FoundAdapter } from './adapter/is-adapter.ts'
import { ConversionError } from './errors.ts'
import { prepareGguf } from './gguf/convert.ts'
import { hubType, prepareFolder } from './hub/convert.ts'
import { alone } from './output.ts'
import { readSourceModel } from './source-model.ts'
import type { TypeSummary } from './written.ts'

/** Options of `convertModel`. */
export interface ConvertOptions {
  /** Default: the types that the model has; quantised weights become bf16 in a safetensors folder. */
  readonly weights?: EncodableType
  /** A LoRA adapter, PEFT's folder or llama.cpp's GGUF file, whose changes are taken in. Default: none. */
  readonly lora?: string
  /** Where `input` is an adapter: the model that it is for. Default: what adapter_config.json names. */
  readonly base?: string
  /** GGUF of MLA models as it was before llama.cpp computed on the latent: one `attn_kv_b`. Default false. */
  readonly legacyMla?: boolean
  /** Replace what is there. Default false. */
  readonly force?: boolean
  /** Bytes of tensors in one safetensors file. Default 5e9. */
  readonly shardBytes?: number
  /** Never use the network. Default false. */
  readonly offline?: boolean
  /** Where the hub is and where its files are stored. */
  readonly hub?: {
    /** Address of the hub. Default https://huggingface.co. */
    readonly endpoint?: string
    /** Access token; sent to `endpoint` only, never to the servers that it redirects to. Default: none. */
    readonly token?: string
    /** Folder of downloaded models, shared with Python's huggingface_hub. Default `~/.cache/huggingface/hub`. */
    readonly cacheDir?: string
  }
  /** Ends the conversion, which rejects with the signal's reason and leaves no output. */
  readonly signal?: AbortSignal
  /** Fetching the model, if it is on the hub, then bytes written of all. */
  readonly onProgress?: (event: {
    /** The current stage: looking up a name on the hub, fetching a file, or writing the output. */
    readonly status: 'resolve' | 'download' | 'write'
    /** The name on the hub, the file that is fetched, or the file that is written. */
    readonly file: string
    /** Bytes done: of this file while fetching, of all files while writing. */
    readonly loaded: number
    /** The total of the same bytes; 0 for `resolve`. */
    readonly total: number
  }) => void
}

export const CONVERT_OPTIONS = {
  weights: { kind: choice(ENCODABLE_TYPES), description: 'the type of the matrices', defaultText: 'as they are' },
  lora: { kind: text, description: 'a LoRA adapter to merge: its folder or GGUF file', defaultText: 'none' },
  base: { kind: text, description: 'the model that an adapter is for', defaultText: 'what the adapter names' },
  legacyMla: { kind: flag, description: 'GGUF with one attn_kv_b per layer, for old programs' },
  force: { kind: flag, description: 'replace what is there' },
  shardBytes: { kind: whole(1), description: 'most bytes of one safetensors file', defaultText: '5 GB' },
  ...FIND_OPTIONS,
} satisfies OptionTable<ConvertOptions>

/** Result of `convertModel`. */
export interface Conversion {
  /** Path of the source: a folder or a GGUF file, in the hub's cache if it was fetched. */
  readonly input: string
  /** The path that was given. */
  readonly output: string
  /** `gguf` if `output` ends in .gguf. */
  readonly format: 'gguf' | 'safetensors'
  /** The `model_type` of config.json. */
  readonly modelType: string
  /** Of all files. */
  readonly bytes: number
  /** Paths of the files that were written. */
  readonly files: readonly string[]
  /** Tensors and bytes by type, most bytes first. */
  readonly types: readonly TypeSummary[]
  /** One sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Writes the model `input` (a folder, a GGUF file, a name on the hub) as the GGUF file `output`, or, where its name does
 * not end so, as a folder with safetensors. A LoRA adapter, PEFT's folder or llama.cpp's GGUF file, becomes the other one.
 * The output is there whole or not at all.
 *
 * Throws ConversionError (`output_exists` without `force`, `same_file`, `in_use`, `disk_full`, `not_writable`), CheckpointError,
 * ConfigError, UnsupportedModelError, OptionError, the signal's reason.
 */
export async function convertModel(input: string, output: string, given: ConvertOptions = {}): Promise<Conversion> {
  const options = readOptions<ConvertOptions>(CONVERT_OPTIONS, 'convertModel', given)
  for (const [name, value] of Object.entries({ input, output })) readArgument(text, name, value)
  const { signal, onProgress } = options
  const format = /\.gguf$/i.test(output) ? 'gguf' : 'safetensors'
  const { offline, hub } = options
  const find = (name: string) =>
    resolveModel(name, {
      ...hubSettings({}, homedir()),
      ...hub,
      ...(offline && { offline }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress: event => onProgress({ ...event, status: event.status as 'download' }) }),
    })
  const path = await find(input)
  const adapter = await adapterAt(path)
  const { model, reads, prepared, warnings } = adapter
    ? await readAdapter(adapter, path, format, options, find)
    : await readModel(path, format, options)
  const place = () => checkPlace([path, ...reads], output, format, options.force ?? false)
  await place()
  let loaded = 0
  const onWrite = (file: string, bytes: number) => {
    loaded += bytes
    onProgress?.({ status: 'write', file, loaded, total: prepared.bytes })
  }
  const { files, types } = await alone(output, async () => {
    await place()
    return prepared.write(output, { onWrite, signal })
  })
  return {
    input: path,
    output,
    format,
    modelType: model.config.modelType,
    bytes: prepared.bytes,
    files,
    types,
    warnings: [...warnings, ...prepared.warnings].map(text => sentence(text)),
  }
}

async function readModel(path: string, format: Conversion['format'], options: ConvertOptions) {
  if (options.base !== undefined) {
    throw new OptionError(`base was given, but ${path} is a model, not an adapter; lora names an adapter to merge`)
  }
  const found = await openModel(path)
  const adapter = options.lora === undefined ? null : await openAdapter(await modelFiles(options.lora), found)
  const opened = adapter ? await merged(found, adapter) : found
  // llama.cpp reads such modules of few architectures, and refuses files with tensors that it does not know.
  const predictions = format === 'gguf' ? opened.family.gguf?.predictions === true : !opened.checkpoint.canonical
  const model = await readSourceModel(opened, { predictions })
  const prepared = format === 'gguf' ? prepareGguf(model, options) : prepareFolder(model, options)
  const warnings = [...opened.checkpoint.warnings, ...model.warnings]
  const reads = [...filesOf(found), ...(adapter ? adapterFilesOf(adapter) : [])]
  return { model, reads, prepared, warnings }
}

async function readAdapter(
  { files, base: named }: FoundAdapter,
  path: string,
  format: Conversion['format'],
  { base = named, lora, weights }: ConvertOptions,
  find: (name: string) => Promise<string>,
) {
  if (lora !== undefined)
    throw new OptionError(`lora was given, but ${path} is an adapter itself; give its model first`)
  if (base === undefined)
    throw new OptionError(`${path} is an adapter; base (--base) has to name the model that it is for`)
  const model = await openModel(await find(base))
  const adapter = await openAdapter(files, model)
  await checkAdapter(adapter, model)
  const type = hubType(weights)
  const prepared =
    format === 'gguf' ? prepareAdapterGguf(adapter, model, type) : prepareAdapterFolder(adapter, model, base, type)
  const reads = [...adapterFilesOf(adapter), ...filesOf(model)]
  return { model, reads, prepared, warnings: model.checkpoint.warnings }
}

function adapterFilesOf({ modules }: Adapter): string[] {
  return modules.flatMap(({ down }) => down.bytes.source.path ?? [])
}

/** Paths of a model's files of weights. */
export function filesOf({ checkpoint }: OpenedModel): string[] {
  return [...checkpoint.tensors.values()].flatMap(({ bytes }) => bytes.source.path ?? [])
}

/** What is there is only replaced when that was asked for, and never what is being read. */
export async function checkPlace(
  reads: readonly string[],
  output: string,
  format: Conversion['format'],
  force: boolean,
): Promise<void> {
  const there = await stat(output).catch(() => undefined)
  if (!there) return
  if (!there.isFile() && !there.isDirectory()) {
    throw new ConversionError('not_writable', `${output} is a device, a pipe or a socket; give another place`)
  }
  const place = await realpath(output)
  for (const file of new Set(reads)) {
    if ((await realpath(file)) !== place) continue
    throw new ConversionError('same_file', `${output} is read for this; give another place`)
  }
  if (there.isDirectory() !== (format === 'safetensors')) {
    const [is, wanted] = there.isDirectory() ? ['a folder', 'a file'] : ['a file', 'a folder']
    throw new ConversionError('output_exists', `${output} is ${is}, and ${format} makes ${wanted}; give another place`)
  }
  const empty = there.isDirectory() && (await readdir(output)).every(name => name === '.writing')
  if (force || empty) return
  throw new ConversionError('output_exists', `${output} exists already; use force (--force) to replace it`)
}
