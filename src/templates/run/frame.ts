import type { Activation, Run } from './run.ts'
import { FunctionScope, type Ref, Symbols } from './symbols.ts'

/** Where a part of the template is compiled. */
export interface Frame {
  readonly symbols: Symbols
  /** Assignments also become variables of the template, for macros that look them up later. */
  readonly top: boolean
  /** Inside an if: an unknown filter is an error only where it is reached. */
  readonly soft: boolean
  /** Inside a loop of the same function: break and continue have a meaning. */
  readonly looping: boolean
  /** Statements of the same function around this place. */
  readonly nesting: number
}

export function rootFrame(): Frame {
  return { symbols: new Symbols(new FunctionScope()), top: true, soft: false, looping: false, nesting: 0 }
}

/** A frame inside another, of the same function unless another one is given. */
export function innerFrame(frame: Frame, looping = frame.looping, scope = frame.symbols.scope): Frame {
  return { ...frame, symbols: new Symbols(scope, frame.symbols), top: false, soft: false, looping }
}

/** The frame of a function of its own. */
export function functionFrame(frame: Frame, looping = false): Frame {
  return { ...innerFrame(frame, looping, new FunctionScope(frame.symbols.scope)), nesting: 0 }
}

type Hold = (run: Run, at: Activation) => void

/** How to reach a variable from the function `scope`: the activation that holds it. */
export function reach(scope: FunctionScope, ref: Ref): (at: Activation) => Activation {
  let hops = 0
  for (let s: FunctionScope | undefined = scope; s !== undefined && s !== ref.scope; s = s.parent) hops++
  if (hops === 0) return at => at
  if (hops === 1) return at => at.parent!
  return at => {
    let found = at
    for (let i = 0; i < hops; i++) found = found.parent!
    return found
  }
}

/** Sets the variables of a frame to what they start with. Only after the frame's statements were looked through. */
export function enterFrame(frame: Frame): Hold {
  const steps: Hold[] = []
  for (const [{ slot }, load] of frame.symbols.loads) {
    if (load.kind === 'resolve') {
      steps.push((run, at) => {
        at.slots[slot] = run.variables.get(load.name)
      })
    } else if (load.kind === 'alias') {
      const holder = reach(frame.symbols.scope, load.of)
      steps.push((_, at) => {
        at.slots[slot] = holder(at).slots[load.of.slot]
      })
    } else if (load.kind === 'nothing') {
      steps.push((_, at) => {
        at.slots[slot] = undefined
      })
    }
  }
  return (run, at) => {
    run.work.spend(steps.length)
    for (const step of steps) step(run, at)
  }
}

export function leaveFrame(frame: Frame): Hold {
  const slots = Array.from(frame.symbols.loads.keys(), ref => ref.slot)
  return (_, at) => {
    for (const slot of slots) at.slots[slot] = undefined
  }
}
