/** The engine's thread as it is built: one large file, and few beside it until the first token (scripts/bundle.mjs). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const FOLDER = 'dist/bundled'

/** A file and what it imports of the same folder, at once. */
function withImports(file: string, folder = FOLDER, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  const code = readFileSync(join(folder, file), 'utf8')
  for (const [, next] of code.matchAll(/^import .*?["']\.\/([^"']+)["'];$/gm))
    withImports(next as string, folder, found)
  return found
}

it('is few files, also with the kernels', () => {
  expect(withImports('engine-thread.js').size).toBeLessThanOrEqual(4)
  for (const kernels of ['addon.js', 'wasm.js']) expect(withImports(kernels).size).toBeLessThanOrEqual(8)
})

it('imports, as the program does, what is installed with it and nothing else', () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const installed = new Set(Object.keys({ ...dependencies, ...peerDependencies }))
  const files = [FOLDER, `${FOLDER}/cli`].flatMap(folder => readdirSync(folder).map(file => join(folder, file)))
  const scripts = [...files.filter(file => file.endsWith('.js')), 'dist/apps/cli/main.js']
  expect(scripts.length).toBeGreaterThan(100)
  const named = scripts.flatMap(file => {
    const code = readFileSync(file, 'utf8')
    const imports = [
      ...code.matchAll(/^(?:import|export)\b[^;'"]*["']([^"']+)["'];$/gm),
      ...code.matchAll(/\bimport\("([^"]+)"\)/g),
    ]
    return imports.map(([, name]) => name as string).filter(name => !/^(\.|node:)/.test(name))
  })
  const missing = named.filter(name => !installed.has(name.split('/', name.startsWith('@') ? 2 : 1).join('/')))
  expect(named).toContain('commander')
  expect(missing).toEqual([])
})

it('a command that draws nothing loads nothing that draws', () => {
  const folder = `${FOLDER}/cli`
  const draws = (file: string) => /^import .*["']d3-/m.test(readFileSync(join(folder, file), 'utf8'))
  const drawing = readdirSync(folder)
    .filter(file => file.endsWith('.js') && [...withImports(file, folder)].some(draws))
    .map(file => file.replace(/\d*\.js$/, ''))
  expect([...new Set(drawing)].sort()).toEqual(['latentify', 'runs', 'svg-chart'])
})

it('finds its sources for stack traces and profiles', () => {
  const maps = readdirSync(FOLDER).filter(file => file.endsWith('.map'))
  expect(maps.length).toBeGreaterThan(3)
  for (const map of maps) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(FOLDER, map), 'utf8'))
    for (const [i, source] of sources.entries()) {
      expect(existsSync(join(FOLDER, source)), source).toBe(true)
      expect(sourcesContent[i].length, source).toBeGreaterThan(0)
    }
  }
})
