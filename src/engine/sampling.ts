import type { TokenSampler } from './sequence.ts'
import type { StopText } from './text-stream.ts'
import type { SamplingOptions } from './types.ts'

// TEMPORARY until src/sampling lands
export function samplerFor(
  _o: SamplingOptions,
  _d: SamplingOptions,
  _c: { promptIds: readonly number[]; vocabSize: number },
): TokenSampler {
  return {
    seed: 0,
    sample(logits) {
      let best = 0
      for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[best] as number)) best = i
      return best
    },
  }
}
export function stopsFor(stops: readonly string[]): StopText {
  let held = ''
  return {
    push(text) {
      held += text
      let at = -1
      for (const s of stops) {
        const i = held.indexOf(s)
        if (i >= 0 && (at < 0 || i < at)) at = i
      }
      if (at >= 0) {
        const t = held.slice(0, at)
        held = ''
        return { text: t, stopped: true }
      }
      let keep = 0
      for (const s of stops)
        for (let n = 1; n < s.length; n++) if (held.endsWith(s.slice(0, n))) keep = Math.max(keep, n)
      const t = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return { text: t, stopped: false }
    },
    flush() {
      const t = held
      held = ''
      return t
    },
  }
}
