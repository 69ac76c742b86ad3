/** Ctrl-C: the first asks the work to stop, the second leaves at once. */
import { EXIT } from './exit.ts'

export interface Interrupt {
  readonly signal: AbortSignal
  /** Gives Ctrl-C back its usual meaning. */
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
