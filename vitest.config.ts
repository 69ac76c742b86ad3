import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * Small files that run one after the other in a process, by room: to start one and to load the modules takes a second for each file, and they
 * take less themselves. None changes what all share, counts the memory of all, or starts programs. None opens many published vocabularies: what
 * the tests of a file hold stays until the process ends, and a large heap makes those after it slow.
 */
const TOGETHER: Readonly<Record<string, string>> = {
  adapter: 'adapter gguf ordered-heads',
  attention: 'equations fixtures layers rank-errors',
  cache: 'accounting prefix-tree sharing source-rows states types',
  checkpoint: [
    'checkpoint config-reader gguf-checkpoint gguf-choice gguf-header hub-names',
    'interleaved-experts marian-tokenizer other-files quote read-tensor recode saved-names sources',
    'stacked-experts t5-tokenizer tensor-scales web-model',
  ].join(' '),
  conformance: 'backward fixtures-attention fixtures-numbers fixtures-pointwise oracle suite',
  conversion: 'llama3-scaling mixed-layers python-numbers',
  embedding: 'parts refusals',
  engine: [
    'chat-run choose-kernels editing embed errors generation generation-defaults index memory-arbiter one-file',
    'options outbox pace prompt-once reuse room-for-weights scheduler session text text-stream unlike-layers',
    'verify-pool',
  ].join(' '),
  evaluation: 'divergence perplexity windows',
  families: 'class-defaults decay-rates growth-keys refused runnable state-keys states',
  formats: 'capabilities channels complaints detect forced-text own-answers',
  grammar: 'calls-or-answer collection distinct gbnf matcher output partial-json strict-keywords wasm',
  identities: 'model sparse',
  latentify: 'calibration eigen factors heal-cost licence measured refused search text training work-folder',
  nn: 'distance-bias mixed path prediction rope rope-angles',
  options: 'options',
  planning: 'bundle facts files formats models-page properties published read-json steps weight-bytes',
  reading: 'changes long svd',
  sampling: 'banned-ids beam-search dry filters options parts rng sampler stop-sequences text-rules',
  speculation: 'draft-model prompt-lookup speculation',
  templates: 'language',
  tokenizer: 'added-tokens chat-template decoders detokenizer expressions malformed pipelines precompiled tokenizer',
  training: 'chats combinations compute distil dpo flops learner long-text memory muon',
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
