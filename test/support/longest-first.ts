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
  'package/install',
  'docs/code-blocks',
  'kernels/wasm',
  'package/consumers',
  'browser/sources',
  'browser/kept',
  'conformance/native',
  'reading/transformers',
  'explorer/beside',
  'explorer/numbers',
  'cli/resume',
  'model/checkpoints/reference',
  'browser/parts',
  'training/kills',
  'explorer/view-file',
  'explorer/patterns',
  'browser/engine',
  'engine/answers',
  'cli/outputs',
  'cli/names',
  'explorer/node',
  'engine/session-file',
  'model/gguf',
  'model/smollm2',
  'conversion/round-trip',
  'cli/generate',
  'kernels/threads',
  'model/checkpoints/native',
  'engine/step-loop',
  'explorer/chat',
  'cli/pull',
  'training/on-the-way',
  'cli/engine-flags',
  'explorer/kinds',
  'conformance/wasm-relaxed',
  'explorer/encoder-decoder',
  'cli/errors',
  'engine/shared-cache',
  'planning/cli',
  'cli/chat',
  'cli/perplexity',
  'cli/tools',
  'engine/disk',
  'explorer/cache',
  'engine/resume',
  'browser/cases',
  'kernels/headers',
  'package/addon',
  'training/texts',
  'embedding/decoders',
  'engine/output',
  'conformance/wasm',
  'engine/shared-restore',
  'explorer/tour',
  'cli/bench',
  'engine/drawing-defaults',
  'browser/bundlers',
  'conformance/reference',
  'cli/help',
  'engine/stuck-thread',
  'model/checkpoints/wasm',
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
