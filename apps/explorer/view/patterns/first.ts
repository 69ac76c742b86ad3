/** What somebody waits for comes before what is computed meanwhile. */

let asked = 0
const quiet: (() => void)[] = []

/** Work that somebody waits for. */
export async function first<T>(work: () => Promise<T>): Promise<T> {
  asked++
  try {
    return await work()
  } finally {
    asked--
    if (asked === 0) for (const go of quiet.splice(0)) go()
  }
}

/** Until nobody waits for anything. */
export async function whenQuiet(): Promise<void> {
  while (asked > 0) await new Promise<void>(resolve => quiet.push(resolve))
}
