import { OPERATIONS, type Operations } from '../operations/table.ts'
import { attention, trainingAttention } from './attention.ts'
import * as attentionBackward from './attention-backward.ts'
import * as cache from './cache.ts'
import type { Definition } from './definition.ts'
import * as experts from './experts.ts'
import * as expertsBackward from './experts-backward.ts'
import * as headMatmul from './head-matmul.ts'
import * as matmul from './matmul.ts'
import type { Memory } from './memory.ts'
import * as norms from './norms.ts'
import * as pointwise from './pointwise.ts'
import * as probabilities from './probabilities.ts'
import * as rope from './rope.ts'
import * as route from './route.ts'
import * as rows from './rows.ts'
import * as selection from './selection.ts'
import * as states from './states.ts'
import * as training from './training.ts'

type Name = keyof Operations

const DEFINITIONS: { readonly [N in Name]: Definition<N> } = {
  ...rows,
  ...norms,
  ...matmul,
  ...headMatmul,
  ...pointwise,
  ...rope,
  ...cache,
  attention,
  trainingAttention,
  ...attentionBackward,
  ...probabilities,
  ...route,
  ...experts,
  ...expertsBackward,
  ...training,
  ...selection,
  ...states,
}

/** Every operation in this memory, run when it is called. */
export function operationsIn(memory: Memory): Operations {
  const bound = (name: Name) => {
    const stated: { readonly from: (...args: never[]) => unknown } = OPERATIONS[name]
    const compute: (memory: Memory, ...args: never[]) => void = DEFINITIONS[name]
    return (...args: never[]) => {
      stated.from(...args)
      compute(memory, ...args)
    }
  }
  const names = Object.keys(OPERATIONS) as Name[]
  return Object.fromEntries(names.map(name => [name, bound(name)])) as unknown as Operations
}
