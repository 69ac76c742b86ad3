/**
 * The order of the tests' files: those that take longest first, so that none of them is left alone at the end. Vitest does so by the times of
 * the run before; in a new clone it has none, and goes by the sizes of files. Last those that share processes (vitest.config.ts): a process
 * goes on only with what comes next.
 */
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that took some 25 seconds or more, roughly in order. */
const LONG: readonly string[] = [
  'fuzz/fuzz',
  'docs/code-blocks',
  'browser/kept',
  'browser/sources',
  'package/consumers',
  'package/install',
  'conformance/native',
  'conformance/reference',
  'conformance/wasm',
  'kernels/wasm',
  'cli/bench',
  'cli/help',
  'cli/resume',
  'cli/generate',
  'model/checkpoints/native',
  'model/checkpoints/reference',
  'model/checkpoints/wasm',
  'explorer/beside',
  'explorer/numbers',
  'explorer/node',
  'browser/cases',
  'browser/parts',
  'browser/bundlers',
  'kernels/threads',
  'engine/step-loop',
  'engine/disk',
  'engine/stuck-thread',
]

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const long = LONG.map(name => `test/${name}.test.ts`)
    const gone = long.filter(file => !existsSync(resolve(this.ctx.config.root, file)))
    if (gone.length > 0)
      throw new Error(`test/support/longest-first.ts names ${gone.join(', ')}; expected files that are there`)
    const place = ({ moduleId, project }: TestSpecification) => {
      if (!project.config.isolate) return long.length + 1
      const at = long.indexOf(relative(this.ctx.config.root, moduleId))
      return at < 0 ? long.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
