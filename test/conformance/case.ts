import type { Lab } from './lab.ts'
import type { Allowed } from './tolerances.ts'

/** One call of an operation, or a few: built and recorded here, run and compared by `runConformance`. */
export interface ConformanceCase {
  /** The operation, which also picks the tolerance. */
  readonly op: string
  readonly name: string
  /** Another entry of the tolerance table, or what is allowed in this case. Default: the operation's entry; without one, nothing. */
  readonly tolerance?: string | Allowed
  /** Makes inputs and outputs in the lab and records the operations. */
  readonly record: (lab: Lab) => void | Promise<void>
}

export function title(c: ConformanceCase): string {
  return `${c.op}: ${c.name}`
}
