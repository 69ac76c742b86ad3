import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * Small files that run one after the other in a process, by room: to start one and to load the modules takes a second for each file, and they
 * take less themselves. None changes what all share, counts the memory of all, or starts programs.
 */
const TOGETHER: Readonly<Record<string, string>> = {
  attention: 'equations layers',
  cache: 'accounting prefix-tree source-rows states types',
  checkpoint:
    'config-reader gguf-choice gguf-header gguf-tokenizer hub-names interleaved-experts marian-tokenizer other-files quote read-tensor recode sources stacked-experts web-model',
  conversion: 'mixed-layers python-numbers',
  embedding: 'parts refusals',
  evaluation: 'divergence windows',
  families: 'class-defaults growth-keys refused runnable states',
  formats: 'capabilities complaints forced-text own-answers',
  grammar: 'calls-or-answer gbnf partial-json strict-keywords wasm',
  latentify: 'eigen factors licence measured refused search training',
  nn: 'distance-bias path prediction rope rope-angles',
  options: 'options',
  planning: 'bundle facts files formats models-page published read-json steps',
  reading: 'svd',
  sampling: 'banned-ids beam-search dry options parts rng stop-sequences text-rules',
  speculation: 'draft-model prompt-lookup speculation',
  templates: 'language',
  tokenizer: 'chat-template decoders detokenizer fixtures pipelines precompiled tokenizer',
  training: 'distil flops long-text muon',
}
const together = Object.entries(TOGETHER).flatMap(([room, names]) =>
  names.split(' ').map(name => `test/${room}/${name}.test.ts`),
)

/** Milliseconds. A busy machine may take ten times as long as an idle one; scripts/sanitized.mjs asks for more. */
const PATIENCE = Number(process.env.LATENTKIT_TEST_TIMEOUT ?? 120_000)

const common = {
  globalSetup: 'test/support/dist-unchanged.ts',
  testTimeout: PATIENCE,
  hookTimeout: PATIENCE,
  expect: { poll: { timeout: 30_000 } },
}

export default defineConfig({
  test: {
    // One more than the cores of a small machine: some tests wait for browsers and other programs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...common, name: 'apart', include: ['test/**/*.test.ts'], exclude: together } },
      { test: { ...common, name: 'together', include: together, isolate: false } },
    ],
  },
})
