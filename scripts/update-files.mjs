import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Takes into the folder `to` the files of `from` that differ there, each whole: tests and other programs may be loading
 * from it, and a file that is written in place is empty for a moment. `sameContent` compares two buffers.
 */
export function updateFiles(from, to, sameContent = (a, b) => a.equals(b)) {
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const source = path.join(entry.parentPath, entry.name)
    const target = path.join(to, path.relative(from, source))
    const content = readFileSync(source)
    if (existsSync(target) && sameContent(content, readFileSync(target))) continue
    mkdirSync(path.dirname(target), { recursive: true })
    const whole = `${target}.${process.pid}.new`
    writeFileSync(whole, content)
    renameSync(whole, target)
  }
}
