/** Milliseconds after which a timer takes the place of a message. */
const TIMER_EVERY = 50

const { port1: near, port2: far } = new MessageChannel()
const waiting: (() => void)[] = []
let timed = 0
near.start()
near.addEventListener('message', () => waiting.shift()?.())

/**
 * Resolves in a later turn of the worker's loop, when messages that have arrived were received. By a message to itself: timers
 * wait at least 4 ms once they follow each other. Now and then by a timer, since the order of different ports' messages is the
 * browser's choice.
 */
export function nextTurn(): Promise<void> {
  const now = performance.now()
  if (now - timed >= TIMER_EVERY) {
    timed = now
    return new Promise(resolve => setTimeout(resolve, 0))
  }
  return new Promise(resolve => {
    waiting.push(resolve)
    far.postMessage(0)
  })
}
