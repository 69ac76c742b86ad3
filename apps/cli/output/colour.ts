/** Whether output has colours. */
import picocolors from 'picocolors'

export type Colours = ReturnType<typeof picocolors.createColors>

/** Colours for one stream: on for a terminal; NO_COLOR and FORCE_COLOR decide otherwise. */
export function colours(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Colours {
  return picocolors.createColors(wanted(stream, env))
}

function wanted(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  // https://no-color.org: any value that is not empty.
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}
