/** docs/architecture.md is the map: every room is on it, and every place that it names is there. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../cli/run.ts'

const map = readFileSync(path.join(ROOT, 'docs', 'architecture.md'), 'utf8')
const named = new Set([...map.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name.replace(/\/$/, '')))
const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).split('\n')

/** Folders that hold tracked files: those of the root, and those of src. */
const rooms = new Set(
  tracked.flatMap(file => {
    const [top = '', ...inner] = file.split('/')
    if (inner.length === 0 || top.startsWith('.')) return []
    if (top === 'apps' || top === 'src') return inner.length > 1 ? [`${top}/${inner[0]}`] : []
    return [top]
  }),
)

describe('docs/architecture.md', () => {
  it('names every room', () => {
    // A room whose parts are rows of their own is named by these.
    const missing = [...rooms].filter(room => ![...named].some(name => name === room || name.startsWith(`${room}/`)))
    expect(missing).toEqual([])
  })

  it('names no place that is not there', () => {
    const places = [...named].filter(name => /^(apps|bench|docs|examples|models|native|scripts|src|test)\//.test(name))
    expect(places.length).toBeGreaterThan(20)
    expect(places.filter(name => !existsSync(path.join(ROOT, name)))).toEqual([])
  })
})
