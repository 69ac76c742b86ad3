import type { Turn } from '../model/text-reader.ts'

/** How the model is shared with others. */
export interface Sharing {
  readonly turn: Turn
  /** Lets messages in, if it is time. Throws when the work is to end. */
  readonly pause: () => Promise<void>
}
