import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { ROOT } from './run.ts'

/** The package as it is where nothing could be compiled. */
function withoutNative(): string {
  const folder = tempFolder()
  for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  for (const part of ['models', 'node_modules']) symlinkSync(join(ROOT, part), join(folder, part))
  return join(folder, 'dist/apps/cli/main.js')
}

it('without native kernels the story is told by WebAssembly, and it is said why', () => {
  const main = withoutNative()
  const args = [main, 'generate', '--max-tokens', '4']
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(stdout).toMatch(/^Once upon a time/)
  expect(stderr).toMatch(/native kernels.*; wasm is used$/m)
  expect(stderr).toMatch(/ · wasm (simd128|relaxed-simd)/)
  expect(status).toBe(0)

  const json = JSON.parse(execFileSync(process.execPath, [...args, '--json'], { encoding: 'utf8' }))
  expect(json.kernels.fallbackReason).toMatch(/native/)

  const named = spawnSync(process.execPath, [...args, '--kernels', 'native'], { encoding: 'utf8' })
  expect(named.stderr).toMatch(/^error: The native kernels cannot be used/)
  expect(named.status).toBe(1)
})
