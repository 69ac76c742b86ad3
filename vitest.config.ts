import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

export default defineConfig({
  test: {
    globalSetup: 'test/support/dist-unchanged.ts',
    include: ['test/**/*.test.ts'],
    // A busy machine may take ten times as long as an idle one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // One more than the cores of a small machine: some tests wait for browsers and other programs.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
})
