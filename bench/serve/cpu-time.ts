import { readFileSync } from 'node:fs'

/** Of Linux, whatever the kernel's own. */
const TICKS_PER_SECOND = 100

/** Seconds of processor time that a process has used, all its threads; NaN where the system does not say. */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may have anything in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}
