import { execFile } from 'node:child_process'
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

describe('the install hook', () => {
  it('succeeds without a compiler, and says what is used instead', async () => {
    const folder = tempFolder()
    for (const part of ['native', 'scripts', 'package.json'])
      cpSync(join(root, part), join(folder, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'scripts/install-native.mjs')], {
      env: { ...process.env, CXX: join(folder, 'no-compiler') },
    })
    const lines = stdout.trim().split('\n')
    expect(lines.length).toBe(2)
    expect(lines[0]).toMatch(/could not be built \(.*no-compiler cannot be run.*\); WebAssembly will be used instead/)
    expect(lines[1]).toMatch(/`npm run build:native`/)
    expect(existsSync(join(folder, 'build', 'latentkit.node'))).toBe(false)
  })
})
