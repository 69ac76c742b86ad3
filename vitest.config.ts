import { readdirSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/**
 * Rooms whose files run one after the other in a process: to start one and to load the modules takes a second for each file, and most of
 * theirs take less themselves.
 */
const ROOMS = [
  ...['adapter', 'attention', 'cache', 'checkpoint', 'conformance', 'conversion', 'embedding', 'engine', 'evaluation'],
  ...['families', 'formats', 'grammar', 'identities', 'interop', 'latentify', 'nn', 'options', 'planning', 'reading'],
  ...['sampling', 'speculation', 'templates', 'tokenizer', 'training'],
]

/** Files of theirs with a process of their own: they change what all share, count the memory of all, start programs and threads, or are long. */
const APART = [
  ...['attention/grid', 'attention/ladder', 'cache/place', 'cache/sealed-opfs', 'checkpoint/link-fallback'],
  ...['checkpoint/lock', 'checkpoint/resolve-model', 'checkpoint/safetensors', 'conformance/native'],
  ...['conformance/reference', 'conformance/wasm', 'conformance/wasm-relaxed', 'conformance/wasm-training'],
  ...['conversion/places', 'engine/answers', 'engine/bundle', 'engine/changed-file', 'engine/chat', 'engine/disk'],
  ...['engine/generation-promise', 'engine/interleavings', 'engine/link', 'engine/masks', 'engine/output'],
  ...['engine/prompt-progress', 'engine/resume', 'engine/session-file', 'engine/shared-cache', 'engine/speculation'],
  ...['engine/step-loop', 'engine/stuck-thread', 'engine/token-way', 'engine/worker', 'evaluation/hellaswag'],
  ...['grammar/check-thread', 'grammar/interpreted-check', 'grammar/thread', 'planning/cli', 'planning/docs'],
  ...['planning/stages', 'planning/training', 'planning/unknown', 'reading/speed', 'tokenizer/kept'],
  ...['training/kills', 'training/texts'],
].map(name => `test/${name}.test.ts`)

const together = ROOMS.flatMap(room => readdirSync(`test/${room}`).map(file => `test/${room}/${file}`)).filter(
  file => file.endsWith('.test.ts') && !APART.includes(file),
)

export default defineConfig({
  test: {
    globalSetup: 'test/support/dist-unchanged.ts',
    // A busy machine may take ten times as long as an idle one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // One more than the cores of a small machine: some tests wait for browsers and other programs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: together } },
      { extends: true, test: { name: 'together', include: together, isolate: false } },
    ],
  },
})
