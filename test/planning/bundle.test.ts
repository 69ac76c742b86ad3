/** `import { plan } from 'latentkit/planning'` in a browser: small, and nothing of Node comes along. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const INDEX = fileURLToPath(new URL('../../src/planning/index.ts', import.meta.url))

async function bundle(imports: string): Promise<{ readonly code: string; readonly modules: string[] }> {
  const entry = `${tempFolder({ 'entry.ts': `export { ${imports} } from ${JSON.stringify(INDEX)}` })}/entry.ts`
  const built = await rolldown({ input: entry, platform: 'browser', logLevel: 'silent' })
  const { output } = await built.generate({ format: 'esm', minify: true })
  await built.close()
  expect(output).toHaveLength(1)
  const [chunk] = output
  const used = Object.entries(chunk.modules).filter(([, m]) => m.renderedLength > 0)
  return { code: chunk.code, modules: used.map(([path]) => path) }
}

function expectBrowserSafe(code: string): void {
  expect(code).not.toMatch(/\bimport\b|\brequire\(|node:|\bprocess\.|\bBuffer\b|__dirname/)
}

describe('the planner bundled for a browser', () => {
  it('is at most 36 kB, without a Node import', async () => {
    const { code, modules } = await bundle('plan')
    expect(code.length).toBeGreaterThan(5000)
    expect(code.length).toBeLessThanOrEqual(36_000)
    expectBrowserSafe(code)
    for (const path of modules)
      expect(path).toMatch(
        /src\/(planning|tensor)\/|src\/(cache\/types|quant\/fallback)\.ts$|src\/families\/([a-z0-9-]+\/)?(index|planned|traits)\.ts$|src\/families\/describe\/(states|own-weights)\.ts$|src\/nn\/config\.ts$|src\/(errors|printable)\.ts$/,
      )
  })

  it('runs there: the code alone answers', async () => {
    const { code } = await bundle('plan, publishedModel, planModelFromJson')
    expectBrowserSafe(code)
    const module = await import(`data:text/javascript,${encodeURIComponent(code)}`)
    const answer = module.plan(module.publishedModel('R1'), { context: 100_000, compare: ['mha'] })
    expect(answer.cache.bytes).toBe(7_027_200_000)
    const json = JSON.parse(readFileSync(new URL('../../models/tales-mla-8m/config.json', import.meta.url), 'utf8'))
    expect(module.plan(module.planModelFromJson(json)).weights.parameters).toBe(8_100_608)
  })
})
