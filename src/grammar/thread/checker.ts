import { show } from '../../options/show.ts'
import { type AnswerCheck, type OutputCheck, outputCheck } from '../check.ts'
import { OutputError } from '../errors.ts'
import { compilePattern } from '../schema/pattern.ts'

/** How many demands are kept compiled. */
const MAX_KEPT = 16

/** Checks finished answers in the thread that it is made in. */
export class Checker {
  /** By demand; the least recently used first. */
  readonly #known = new Map<string, OutputCheck>()

  readonly check: AnswerCheck = async (demand, text) => {
    try {
      const key = JSON.stringify(demand)
      const check =
        this.#known.get(key) ??
        ('regex' in demand ? regexCheck(demand.regex, demand.flags) : await outputCheck(JSON.parse(demand.schema)))
      this.#known.delete(key)
      this.#known.set(key, check)
      for (const old of this.#known.keys()) if (this.#known.size > MAX_KEPT) this.#known.delete(old)
      check(text)
      return null
    } catch (error) {
      return (error as Error).message
    }
  }
}

function regexCheck(regex: string, flags: string): OutputCheck {
  const whole = compilePattern(`^(?:${regex})$`, flags)
  return text => {
    if (whole?.test(text)) return text
    throw new OutputError(`The answer is not what regex demands; it may have been cut. It is ${show(text)}`, { text })
  }
}
