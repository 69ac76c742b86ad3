import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit } from './run.ts'

const CHECKPOINT = fileURLToPath(new URL('../fixtures/checkpoints/deepseek-v2-lite', import.meta.url))
const QUICK = ['--kernels', 'reference', '--cache-type', 'f32', '--prefill', 'chunked']

describe('verify', () => {
  it('prints a table and ends with 0 within tolerance', async () => {
    const { code, stdout } = await latentkit(['verify', CHECKPOINT, ...QUICK])
    expect(stdout).toMatch(/^reference +f32 +expanded +chunked .* ok$/m)
    expect(stdout).toMatch(/^reference +f32 +absorbed +chunked .* ok$/m)
    expect(stdout).toMatch(/^layer 1 /m)
    expect(stdout).toContain('1 folder, 2 ways of computing: all within tolerance')
    expect(code).toBe(0)
  })

  it('takes a split model once, whichever of its files are named', async () => {
    const parts = [1, 2].map(n => `test/fixtures/gguf/llama-gqa-split-q8_0-0000${n}-of-00002.gguf`)
    const { code, stdout } = await latentkit(['verify', ...parts, ...QUICK, '--exact', '--json'])
    expect(JSON.parse(stdout).reports.map((r: { folder: string }) => r.folder)).toEqual([parts[0]])
    expect(code).toBe(0)
  })

  it('--json has everything', async () => {
    const { code, stdout } = await latentkit(['verify', CHECKPOINT, ...QUICK, '--path', 'absorbed', '--json'])
    const { passed, reports } = JSON.parse(stdout)
    expect(passed).toBe(true)
    expect(reports).toHaveLength(1)
    expect(reports[0]).toMatchObject({ folder: CHECKPOINT, modelType: 'deepseek_v2', error: null, passed: true })
    expect(reports[0].rows).toHaveLength(1)
    expect(reports[0].rows[0].logitError).toBeLessThan(2e-4)
    expect(code).toBe(0)
  })

  it('ends with 1 when the numbers differ, and names the layer', async () => {
    const folder = join(tempFolder(), 'changed')
    cpSync(CHECKPOINT, folder, { recursive: true })
    const file = join(folder, 'config.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...config, rms_norm_eps: 0.01 }))
    const { code, stdout } = await latentkit(['verify', folder, ...QUICK])
    expect(stdout).toMatch(/layer 1 .*FAILED/)
    expect(stdout).toContain('1 out of tolerance or unreadable')
    expect(code).toBe(1)
  })

  it('goes on after a folder that cannot be read, and ends with 1', async () => {
    const { code, stdout } = await latentkit(['verify', './nowhere', CHECKPOINT, ...QUICK, '--path', 'absorbed'])
    expect(stdout).toContain('nowhere')
    expect(stdout).toMatch(/2 folders, 1 way of computing: 1 out of tolerance or unreadable/)
    expect(code).toBe(1)
  })
})
