import type { KernelChoice } from '../../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../../engine/types/options/load.ts'
import { above, choice, flag, list, number, type OptionTable, signal, text, whole } from '../../options/kinds.ts'
import { OPTIMISERS, type OptimiserName } from '../create-optimiser.ts'
import { SCHEDULES, type Schedule } from '../schedule.ts'

/** What is shown and measured of a run on its way, beside its losses; none of it changes a number of the run. */
export interface OnTheWayOptions {
  /** Steps between two samples: what the model writes by now, after each of `samplePrompts`. Default: none is written. */
  readonly sampleEvery?: number
  /** What samples go on from. Default: the first words of the first text of the validation, or of the texts. */
  readonly samplePrompts?: readonly string[]
  /** Most tokens of a sample. Default 48. */
  readonly sampleTokens?: number
  /** A file of HellaSwag's questions, which the model answers every `evaluateEvery` steps. Default: none. */
  readonly evaluate?: string
  /** Steps between two evaluations; the last step always makes one. Default 500. */
  readonly evaluateEvery?: number
  /** The first questions of the file, so many of them. Default 200. */
  readonly evaluateLimit?: number
}

/** Options of `train`. */
export interface TrainOptions extends OnTheWayOptions {
  /** Files or folders of texts: UTF-8, cut into documents at `separator`, or .jsonl, each line an object with `text`, or with `messages` (and `tools`): a chat, of which the answers are learned. */
  readonly data: readonly string[]
  /** The same, not learned from: their loss is measured every `validateEvery` steps. Default: none. */
  readonly validation?: readonly string[]
  /** Ends a document in a text file. Default `<|endoftext|>`. */
  readonly separator?: string
  /** Folder in which the texts' tokens are kept, for several runs on the same texts. Default: the run's own. */
  readonly tokenFolder?: string
  /** Steps of the whole run. Default: as many as read all texts once. */
  readonly steps?: number
  /** Tokens of a step, about. Default 8192. */
  readonly batchTokens?: number
  /** Tokens computed at a time: less takes less memory, and the step is the same but for rounding. Default 2048. */
  readonly microTokens?: number
  /**
   * What the factors of products are rounded to: `bf16` halves the time of products on processors that multiply pairs of bf16 faster than
   * f32. Weights, activations and sums are f32. Default: `bf16` on those processors (AMD's with AVX512_BF16), else `f32`.
   */
  readonly compute?: 'f32' | 'bf16'
  /** Layers, from the first on, whose activations are computed again in the backward pass instead of kept: less memory, the same bits. Default 0. */
  readonly recompute?: number
  /** Most tokens of a text; longer documents are cut. Default 512, or the model's own limit. */
  readonly contextLength?: number
  /** Learn preferences (DPO): `data` and `validation` are .jsonl files whose lines have `prompt`, `chosen` and `rejected`. Default false. */
  readonly dpo?: boolean
  /** DPO's: the larger, the closer the model stays to what it was. Default 0.1. */
  readonly beta?: number
  /** Names of tensors that are not learned; `*` stands for any text, a name without one is a part of a tensor's. Default: none. */
  readonly freeze?: readonly string[]
  /** Learn a LoRA adapter of this rank instead of the model's own weights. Default: the weights. */
  readonly loraRank?: number
  /** The adapter counts alpha / rank. Default: twice the rank. */
  readonly loraAlpha?: number
  /** Ends of the names of modules that get one, `q_proj`. Default: all matrices of attention and MLPs, but routers and single experts. */
  readonly loraTargets?: readonly string[]
  /** alpha / sqrt(rank) instead (rsLoRA). Default false. */
  readonly loraRankStabilised?: boolean
  /** The highest learning rate. Default 1e-3. */
  readonly rate?: number
  /** How the rate goes after the warm-up. Default `cosine`. */
  readonly schedule?: Schedule
  /** The last step's rate, as a share of `rate`. Default 0.1. */
  readonly lastRate?: number
  /** Steps in which the rate rises. Default: 5 % of them, 100 at most. */
  readonly warmup?: number
  /** `wsd`: steps in which the rate falls. Default: 20 % of them. */
  readonly decay?: number
  /** Of matrices but embeddings. Default 0.1. */
  readonly weightDecay?: number
  /** `muon`: matrices by Muon, all else by AdamW. Default `adamw`. */
  readonly optimiser?: OptimiserName
  /** Muon's, default 0.95. */
  readonly momentum?: number
  /** Experts: how far a step moves the bias of the choice against their loads (DeepSeek-V3 took 0.001). Default 0: biases stay. */
  readonly balanceRate?: number
  /** Experts: weight of the sequence-wise auxiliary loss (DeepSeek-V3 took 0.0001). Default 0. */
  readonly sequenceBalance?: number
  /** Models with modules of multi-token prediction: weight of their mean loss. Default 0.3, as DeepSeek-V3 began. */
  readonly predictionWeight?: number
  /** AdamW's, default 0.9. */
  readonly beta1?: number
  /** AdamW's, default 0.95. */
  readonly beta2?: number
  /** The largest norm of a step's gradients; longer ones are shortened. Default 1. */
  readonly clip?: number
  /** Label smoothing. Default 0. */
  readonly smoothing?: number
  /** Weight of the squared log of the softmax's sum. Default 0. */
  readonly zLoss?: number
  /** Of fresh weights and of the order of texts. Default 0. */
  readonly seed?: number
  /** Steps between two checkpoints; the last step always makes one. Default 200. */
  readonly saveEvery?: number
  /** Steps between two validations. Default 100. */
  readonly validateEvery?: number
  /** Checkpoints that are kept, the newest; the one with the lowest validation loss stays, too. Default 2. */
  readonly keep?: number
  /** What computes. Default `auto`. */
  readonly kernels?: KernelChoice
  /** Compute threads. Default: all cores. */
  readonly threads?: number
  /** Ends the run after a step with a checkpoint; then the iteration throws the signal's reason. */
  readonly signal?: AbortSignal
}

const { kernels, threads } = LOAD_OPTIONS
/** With 1 a moment never moves from 0, and AdamW divides by 0. */
const MAX_BETA = 0.999999

export const TRAIN_OPTIONS = {
  data: { kind: list(text, 'paths'), description: 'texts to learn from: files or folders', flag: '--data <path...>' },
  validation: {
    kind: list(text, 'paths'),
    description: 'texts whose loss is measured on the way',
    defaultText: 'none',
    flag: '--validation <path...>',
  },
  separator: {
    kind: text,
    description: 'what ends a document in a text file',
    defaultText: '<|endoftext|>',
    flag: '--separator <text>',
  },
  tokenFolder: {
    kind: text,
    description: "folder of the texts' tokens, which runs on the same texts may share",
    defaultText: "the run's",
    flag: '--token-folder <folder>',
  },
  steps: {
    kind: whole(1),
    description: 'steps of the run',
    defaultText: 'one pass over the texts',
    flag: '--steps <n>',
  },
  batchTokens: { kind: whole(1), description: 'tokens of a step', defaultText: '8192', flag: '--batch-tokens <n>' },
  microTokens: {
    kind: whole(1),
    description: 'tokens computed at a time, to save memory',
    defaultText: '2048',
    flag: '--micro-tokens <n>',
  },
  compute: {
    kind: choice(['f32', 'bf16']),
    description: 'what factors of products are rounded to',
    defaultText: 'the faster one here',
    flag: '--compute <type>',
  },
  recompute: {
    kind: whole(0),
    description: 'layers that are computed twice, to save memory',
    defaultText: '0',
    flag: '--recompute <n>',
  },
  contextLength: { kind: whole(2), description: 'most tokens of a text', defaultText: '512', flag: '--context <n>' },
  dpo: { kind: flag, description: 'learn preferences: lines with prompt, chosen, rejected', flag: '--dpo' },
  beta: {
    kind: above(0),
    description: 'how close DPO stays to the model before',
    defaultText: '0.1',
    flag: '--beta <x>',
  },
  freeze: {
    kind: list(text, 'names'),
    description: 'tensors that are not learned: parts of names, or with *',
    defaultText: 'none',
    flag: '--freeze <name...>',
  },
  loraRank: {
    kind: whole(1),
    description: 'learn an adapter (LoRA) of this rank, not the weights',
    flag: '--lora-rank <n>',
  },
  loraAlpha: {
    kind: above(0),
    description: 'the adapter counts alpha / rank',
    defaultText: 'twice the rank',
    flag: '--lora-alpha <x>',
  },
  loraTargets: {
    kind: list(text, 'names'),
    description: 'modules that get an adapter, such as q_proj',
    defaultText: 'all matrices of attention and MLPs',
    flag: '--lora-targets <name...>',
  },
  loraRankStabilised: { kind: flag, description: 'alpha / sqrt(rank) instead (rsLoRA)', flag: '--rslora' },
  rate: { kind: above(0), description: 'the highest learning rate', defaultText: '0.001', flag: '--rate <x>' },
  schedule: {
    kind: choice(SCHEDULES),
    description: 'how the rate goes after the warm-up',
    defaultText: 'cosine',
    flag: '--schedule <name>',
  },
  lastRate: {
    kind: number(0, 1),
    description: "the last step's rate, as a share of the highest",
    defaultText: '0.1',
    flag: '--last-rate <x>',
  },
  warmup: {
    kind: whole(0),
    description: 'steps in which the rate rises',
    defaultText: '5 % of them, 100 at most',
    flag: '--warmup <n>',
  },
  decay: {
    kind: whole(1),
    description: 'steps in which the rate of wsd falls',
    defaultText: '20 % of them',
    flag: '--decay <n>',
  },
  weightDecay: {
    kind: number(0, 10),
    description: 'weight decay of matrices but embeddings',
    defaultText: '0.1',
    flag: '--weight-decay <x>',
  },
  optimiser: {
    kind: choice(OPTIMISERS),
    description: 'what learns; muon: matrices by Muon, all else by AdamW',
    defaultText: 'adamw',
    flag: '--optimiser <name>',
  },
  momentum: { kind: number(0, MAX_BETA), description: "Muon's", defaultText: '0.95', flag: '--momentum <x>' },
  balanceRate: {
    kind: number(0, 1),
    description: 'how far a step moves the bias of the choice of experts against their loads',
    defaultText: '0',
    flag: '--balance-rate <x>',
  },
  sequenceBalance: {
    kind: number(0, 1),
    description: 'weight of the sequence-wise loss for the balance of experts',
    defaultText: '0',
    flag: '--sequence-balance <x>',
  },
  predictionWeight: {
    kind: above(0),
    description: 'weight of the loss of modules that predict further tokens, if the model has some',
    defaultText: '0.3',
    flag: '--prediction-weight <x>',
  },
  beta1: { kind: number(0, MAX_BETA), description: "AdamW's first", defaultText: '0.9', flag: '--beta1 <x>' },
  beta2: { kind: number(0, MAX_BETA), description: "AdamW's second", defaultText: '0.95', flag: '--beta2 <x>' },
  clip: { kind: above(0), description: "largest norm of a step's gradients", defaultText: '1', flag: '--clip <x>' },
  smoothing: { kind: number(0, 1), description: 'label smoothing', defaultText: '0', flag: '--smoothing <x>' },
  zLoss: {
    kind: number(0, 1),
    description: "weight of the squared log of the softmax's sum",
    defaultText: '0',
    flag: '--z-loss <x>',
  },
  seed: {
    kind: whole(0),
    description: 'of fresh weights and of the order of texts',
    defaultText: '0',
    flag: '--seed <n>',
  },
  saveEvery: { kind: whole(1), description: 'steps between checkpoints', defaultText: '200', flag: '--save-every <n>' },
  validateEvery: {
    kind: whole(1),
    description: 'steps between validations',
    defaultText: '100',
    flag: '--validate-every <n>',
  },
  sampleEvery: {
    kind: whole(1),
    description: 'steps between two samples of what the model writes',
    defaultText: 'none',
    flag: '--sample-every <n>',
  },
  samplePrompts: {
    kind: list(text, 'texts'),
    description: 'what samples go on from',
    defaultText: 'the first words of a text',
    flag: '--sample-prompts <text...>',
  },
  sampleTokens: {
    kind: whole(1),
    description: 'most tokens of a sample',
    defaultText: '48',
    flag: '--sample-tokens <n>',
  },
  evaluate: {
    kind: text,
    description: "a file of HellaSwag's questions that the model answers on the way",
    defaultText: 'none',
    flag: '--evaluate <file>',
  },
  evaluateEvery: {
    kind: whole(1),
    description: 'steps between two evaluations',
    defaultText: '500',
    flag: '--evaluate-every <n>',
  },
  evaluateLimit: {
    kind: whole(1),
    description: 'how many of the questions',
    defaultText: '200',
    flag: '--evaluate-limit <n>',
  },
  keep: { kind: whole(1), description: 'newest checkpoints that are kept', defaultText: '2', flag: '--keep <n>' },
  kernels,
  threads,
  signal: { kind: signal, description: 'ends the run' },
} satisfies OptionTable<TrainOptions>
