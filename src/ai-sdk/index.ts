/**
 * A provider for Vercel's AI SDK that runs the engine in this process: `latentkit/ai-sdk` (docs/ai-sdk.md). It needs nothing of the
 * SDK while it runs: only the types come from `@ai-sdk/provider`.
 */

export type { LatentkitCallOptions } from './call.ts'
export { createLatentkit, type LatentkitProvider, type LatentkitSettings } from './provider.ts'
