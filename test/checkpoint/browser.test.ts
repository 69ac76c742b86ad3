import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'

const room = join(import.meta.dirname, '../../src')

/** All files that a module pulls in, itself included; type imports are gone at run time. */
function reach(file: string, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(file)) return seen
  const lines = readFileSync(file, 'utf8').match(/^(import|export) (?!type )[^']*from '[^']+'|^import '[^']+'/gm) ?? []
  const specifiers = lines.map(line => /'([^']+)'/.exec(line)?.[1] as string)
  seen.set(file, specifiers)
  for (const s of specifiers) if (s.startsWith('.')) reach(join(dirname(file), s), seen)
  return seen
}

it('what a browser needs imports nothing of Node', () => {
  const entries = [
    'model/open/open-checkpoint.ts',
    'checkpoint/source/memory-source.ts',
    'checkpoint/source/checkpoint-files.ts',
    'checkpoint/config-reader.ts',
    'checkpoint/read-tensor.ts',
  ]
  for (const entry of entries) {
    for (const [file, specifiers] of reach(join(room, entry))) {
      expect({ file, outside: specifiers.filter(s => !s.startsWith('.')) }).toEqual({ file, outside: [] })
    }
  }
  expect([...reach(join(room, 'checkpoint/find/folder.ts')).values()].flat()).toContain('node:fs/promises')
})
