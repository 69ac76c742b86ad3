import { readGrammarWasm, startMasks } from '../../../grammar/node/thread.ts'
import type { MaskPlatform } from '../../types/platform.ts'

/** Masks in a thread of Node, which shares memory with the host's. */
export const NODE_MASKS: MaskPlatform = { start: startMasks, wasm: readGrammarWasm, mayBlock: true }
