import { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { flopsOf } from '../../src/training/flops.ts'
import type { Config } from './shapes.ts'

/** Floating-point operations that a step needs for each token of texts of this length. */
export function stepFlops(config: Config, length: number): number {
  const contents = { name: 'bench', configFile: 'config.json', config: config as never, warnings: [] }
  return flopsOf(modelOf(new Checkpoint({ ...contents, tensors: new Map() })).config, [length]) / length
}
