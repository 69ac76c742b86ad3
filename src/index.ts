/**
 * The engine: a model is loaded, sessions write; and a model's tokenizer alone. Other paths have the rest: `latentkit/tools`
 * inspects models and files, measures and converts; `latentkit/planning` computes what a model needs, in a browser too;
 * `latentkit/ai-sdk` is a provider for Vercel's AI SDK.
 */

export { bundledModel } from './checkpoint/find/bundled-model.ts'
export * from './common.ts'
export { Engine } from './engine/host/node/engine.ts'
export { openTokenizer } from './inspection/lazy.ts'
export type { FindOptions } from './inspection/open-tokenizer.ts'
export type { KernelSet } from './kernels/contract/kernels.ts'
