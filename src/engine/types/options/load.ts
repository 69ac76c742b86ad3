/** Options of `Engine.load`. */
import { CACHE_TYPE_NAMES, type CacheTypeName } from '../../../cache/types.ts'
import { FIND_OPTIONS } from '../../../checkpoint/find-options.ts'
import { KERNEL_SETS, type KernelSet } from '../../../kernels/contract/kernels.ts'
import { anyText, callback, choice, flag, type OptionTable, text, whole } from '../../../options/kinds.ts'
import { ENCODABLE_TYPES, type EncodableType } from '../../../quant/numbers.ts'

/** A kernel set. `auto`: `native`, or `wasm` if the native kernels cannot be loaded. `reference`: plain TypeScript, slow. */
export type KernelChoice = 'auto' | KernelSet

/** Progress of `Engine.load`. */
export interface ProgressEvent {
  /**
   * The current stage: `resolve` looks up a name on the hub, `download` fetches a file, `load` reads weights, `ready` is the
   * end. `write` is never reported while a model loads.
   */
  readonly status: 'resolve' | 'download' | 'load' | 'write' | 'ready'
  /** `resolve`: the name on the hub. `download`: the file. `load`: the tensor. `ready`: the source that was given. */
  readonly file: string
  /** Bytes done: of this file while downloading, of all weights while loading. */
  readonly loaded: number
  /** The total of the same bytes; 0 for `resolve`. */
  readonly total: number
}

/** Options of `Engine.load`. */
export interface LoadOptions {
  /** Default `auto`: native where it can be had, else WebAssembly. */
  readonly kernels?: KernelChoice
  /** Compute threads. Default: the machine's available parallelism. */
  readonly threads?: number
  /** Forces an instruction set: of the native kernels such as `avx2`, of WebAssembly's `simd128` or `relaxed-simd`. Default: the best. */
  readonly isa?: string
  /**
   * Type of the cached numbers. Default f16; bf16 where the machine multiplies pairs of bf16 and weights are quantised,
   * whose activations of 8 bits round more.
   */
  readonly cacheType?: CacheTypeName
  /**
   * Turns the matrices into this type while loading: `q8_0`, `q4_k`, `bf16` … Embedding, output, routers and the
   * projection to MLA's latent get a type that suits them (docs/gguf.md). Default: as they are stored.
   */
  readonly weights?: EncodableType
  /**
   * Quantised weights are computed as f32 with f32 activations, instead of on their blocks with 8-bit activations:
   * slower, for verification. Default false.
   */
  readonly exact?: boolean
  /** Tokens a session may hold. Default: what the model was made for. */
  readonly contextLength?: number
  /**
   * Bound on all cache blocks, those of sessions and those kept for prompts to come, in bytes; what drafts (`draft`,
   * `mtp`) has as much for itself. Default: none.
   */
  readonly cacheBytes?: number
  /**
   * Bound on the blocks that no session holds any more and that are kept for prompts that begin alike. 0: none are.
   * Default: `cacheBytes`, else 1 GiB.
   */
  readonly keptBytes?: number
  /**
   * A folder where full blocks are kept for later processes; several may use it at once. In a page: of the browser, for later
   * visits and all tabs. Default: none are kept.
   */
  readonly cacheDir?: string
  /** Bound on that folder, in bytes; the longest unused go first. Default 2 GiB; in a page at most half of what it gives. */
  readonly cacheDirBytes?: number
  /**
   * Tokens of one step: one of each text that is being written, the rest for prompts. Default 512, or 1024 of a prompt
   * that is alone. Results do not depend on it.
   */
  readonly chunkSize?: number
  /**
   * A small model, as `source` names one, that guesses ahead for this one (`speculation`). Its tokens must be the same.
   * Default: none.
   */
  readonly draft?: string
  /**
   * Load the model's own module of multi-token prediction (DeepSeek-V3, GLM-4.7), which guesses ahead (`speculation`): `on`, `off`, or
   * `auto`, where there is one. Off, it takes no memory. Default `off`.
   */
  readonly mtp?: 'off' | 'on' | 'auto'
  /**
   * A LoRA adapter, the folder that PEFT writes (adapter_config.json, adapter_model.safetensors) or llama.cpp's GGUF file, applied to the model as it
   * is computed, whose weights stay as they are. In Node only. Default: none.
   */
  readonly lora?: string
  /** A chat template (Jinja) in place of the model's own. */
  readonly chatTemplate?: string
  /** A chat template for a model that has none of its own. Default: such a model takes no messages. */
  readonly fallbackTemplate?: string
  /** Never use the network. Default false. */
  readonly offline?: boolean
  /** Where the hub is and where its files are kept; the command line fills this from the environment. */
  readonly hub?: {
    /** Address of the hub. Default https://huggingface.co. */
    readonly endpoint?: string
    /** Access token; sent to `endpoint` only, never to the servers that it redirects to. Default: none. */
    readonly token?: string
    /** Folder of downloaded models, shared with Python's huggingface_hub. Default `~/.cache/huggingface/hub`. */
    readonly cacheDir?: string
  }
  /**
   * Run in the caller's thread instead of a worker: for tests and debugging; blocks the event loop, and nothing can stop it where
   * a model's regular expression or template never ends. Default false.
   */
  readonly inline?: boolean
  /** Ends loading: `load` rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** What it throws while the model loads is what loading throws. */
  readonly onProgress?: (event: ProgressEvent) => void
  /**
   * Hears in a sentence of what went wrong and does no harm: a damaged block on disk, a full disk, a thread that was replaced.
   * What it throws while the model loads is what loading throws; later it is lost.
   */
  readonly onNotice?: (notice: string) => void
}

export const LOAD_OPTIONS = {
  kernels: {
    kind: choice(['auto', ...KERNEL_SETS]),
    description: 'what computes',
    defaultText: 'auto',
    flag: '--kernels <name>',
  },
  threads: { kind: whole(1), description: 'compute threads', defaultText: 'all cores', flag: '--threads <n>' },
  isa: {
    kind: choice(['amx', 'avx512bf16', 'avx512', 'avx2', 'neon', 'portable', 'simd128', 'relaxed-simd']),
    description: 'a lower instruction set',
    defaultText: 'the best',
    flag: '--isa <name>',
  },
  cacheType: {
    kind: choice(CACHE_TYPE_NAMES),
    description: 'type of the cached numbers',
    defaultText: 'f16 or bf16',
    flag: '--cache-type <type>',
  },
  weights: {
    kind: choice(ENCODABLE_TYPES),
    description: 'convert the weights to a type',
    defaultText: 'as stored',
    flag: '--weights <type>',
  },
  exact: {
    kind: flag,
    description: 'compute on quantised weights in f32: slower; decides close calls as the file does',
    flag: '--exact',
  },
  contextLength: {
    kind: whole(1),
    description: 'tokens a session may hold',
    defaultText: "the model's",
    flag: '--context <n>',
  },
  cacheBytes: {
    kind: whole(1),
    description: 'bound on all caches, in bytes',
    defaultText: 'none',
    flag: '--cache-bytes <n>',
  },
  keptBytes: {
    kind: whole(0),
    description: 'bound on what no session holds any more, in bytes',
    defaultText: 'cacheBytes, else 1 GiB',
  },
  cacheDir: {
    kind: text,
    description: 'where later runs find what this one has read',
    defaultText: 'nothing is kept',
    flag: '--cache-dir <folder>',
  },
  cacheDirBytes: {
    kind: whole(1),
    description: 'bound on that folder, of all models',
    defaultText: '2GiB',
    flag: '--cache-dir-bytes <n>',
  },
  chunkSize: { kind: whole(1), description: 'tokens of one step', defaultText: '512', flag: '--chunk <n>' },
  draft: { kind: text, description: 'a small model of the same tokens that guesses ahead', flag: '--draft <model>' },
  mtp: {
    kind: choice(['off', 'on', 'auto']),
    description: "guess ahead with the model's own multi-token prediction: on, off, auto",
    defaultText: 'off',
    flag: '--mtp <when>',
  },
  lora: {
    kind: text,
    description: 'a LoRA adapter, its folder or GGUF file, applied without merging',
    defaultText: 'none',
    flag: '--lora <path>',
  },
  chatTemplate: { kind: anyText, description: "a chat template (Jinja) in place of the model's own" },
  fallbackTemplate: { kind: anyText, description: 'a chat template (Jinja) for a model that has none' },
  ...FIND_OPTIONS,
  inline: { kind: flag, description: "run in the caller's thread" },
  onNotice: { kind: callback, description: 'hears what went wrong and does no harm' },
} satisfies OptionTable<LoadOptions>
