/** Ctrl-C: the first aborts the work, the second ends the program at once. */
import { EXIT } from './exit.ts'

export interface Interrupt {
  readonly signal: AbortSignal
  /** Restores the default handling of Ctrl-C. */
  release(): void
}

export function watchInterrupt(): Interrupt {
  const controller = new AbortController()
  const interrupted = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    controller.abort()
  }
  process.on('SIGINT', interrupted)
  return {
    signal: controller.signal,
    release: () => process.off('SIGINT', interrupted),
  }
}
