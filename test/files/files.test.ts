/** How files are written: folders that cannot be made, what is never replaced, parts that go when a process is ended. */
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskPlace } from '../../src/cache/disk/disk-place.ts'
import { writeSealed } from '../../src/cache/disk/sealed-stream.ts'
import { BlockStore } from '../../src/cache/stored/block-store.ts'
import { alone, Output } from '../../src/conversion/output.ts'
import { makeFolder } from '../../src/files/make-folder.ts'
import { reserve } from '../../src/files/reserve.ts'
import { fileTarget } from '../../src/files/target.ts'
import { blockOf } from '../cache/stored-block.mjs'
import { tempFolder } from '../support/temp-folder.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777
const LINUX = process.platform === 'linux'
const WINDOWS = process.platform === 'win32'

describe('a folder', () => {
  it('is made with those above it, in the mode that is asked for, and says which was the first', async () => {
    const place = tempFolder()
    expect(await makeFolder(join(place, 'a/b/c'), { mode: 0o700 })).toBe(join(place, 'a'))
    expect(await makeFolder(join(place, 'a/b/d'))).toBe(join(place, 'a/b/d'))
    expect(await makeFolder(join(place, 'a/b'))).toBeUndefined()
    if (!WINDOWS) expect(['a', 'a/b', 'a/b/c'].map(f => modeOf(join(place, f)))).toEqual([0o700, 0o700, 0o700])
  })

  it('is made by many at once', async () => {
    const place = tempFolder()
    await Promise.all(Array.from({ length: 20 }, (_, i) => makeFolder(join(place, `x/y/${i % 3}`))))
    expect(readdirSync(join(place, 'x/y')).sort()).toEqual(['0', '1', '2'])
  })

  it.skipIf(!LINUX).each(['/proc/nope', '/proc/nope/a/b', '/proc/self/x', '/sys/kernel/x/y', '/dev/null/x'])(
    'that cannot be made is said to be so, at once: %s',
    { timeout: 5000 },
    async path => {
      await expect(makeFolder(path)).rejects.toMatchObject({ code: expect.stringMatching(/^E/) })
    },
  )

  it('is not made through a file', async () => {
    const place = tempFolder({ file: '' })
    await expect(makeFolder(join(place, 'file'))).rejects.toMatchObject({ code: 'ENOTDIR' })
    await expect(makeFolder(join(place, 'file/a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })
})

describe.skipIf(WINDOWS)('what is in the place of a file', () => {
  const places = async () => {
    const place = tempFolder({ file: 'old' })
    mkdirSync(join(place, 'folder'))
    spawnSync('mkfifo', [join(place, 'pipe')])
    const server = createServer().listen(join(place, 'socket'))
    onTestFinished(() => void server.close())
    await new Promise(resolve => server.once('listening', resolve))
    for (const name of ['folder', 'pipe', 'socket']) symlinkSync(name, join(place, `to-${name}`))
    symlinkSync('/dev/null', join(place, 'to-device'))
    symlinkSync('file', join(place, 'link'))
    symlinkSync('link', join(place, 'link-to-link'))
    symlinkSync('new', join(place, 'dangling'))
    symlinkSync('b', join(place, 'a'))
    symlinkSync('a', join(place, 'b'))
    return place
  }
  const content = async function* () {
    yield new Uint8Array(3)
  }

  it('is replaced only if it is a file; links are followed and stay', async () => {
    const place = await places()
    for (const name of ['file', 'link', 'link-to-link']) {
      expect(await fileTarget(join(place, name))).toBe(join(place, 'file'))
    }
    for (const name of ['new', 'dangling']) expect(await fileTarget(join(place, name))).toBe(join(place, 'new'))
    for (const [name, kind] of [
      ['folder', 'a folder'],
      ['pipe', 'a pipe'],
      ['socket', 'a socket'],
      ['to-folder', 'a folder'],
      ['to-pipe', 'a pipe'],
      ['to-device', 'a device'],
    ] as const) {
      await expect(fileTarget(join(place, name))).rejects.toThrow(`is ${kind}; only a file can be replaced`)
    }
    await expect(fileTarget('/dev/null')).rejects.toThrow('/dev/null is a device')
    await expect(fileTarget(join(place, 'a'))).rejects.toMatchObject({ code: 'ELOOP' })
  })

  it('is as it was after a session or a conversion was refused; a link leads to the new file', async () => {
    const place = await places()
    const before = readdirSync(place)
    for (const name of ['pipe', 'socket', 'folder', 'to-device', 'a']) {
      await expect(writeSealed(join(place, name), 'LKTEST01', {}, content())).rejects.toThrow()
      await expect(Output.open(join(place, name))).rejects.toMatchObject({ code: 'not_writable' })
    }
    expect(readdirSync(place)).toEqual(before)
    expect(lstatSync(join(place, 'pipe')).isFIFO()).toBe(true)
    await writeSealed(join(place, 'link'), 'LKTEST01', {}, content())
    const output = await Output.open(join(place, 'dangling'))
    await output.write(new Uint8Array(5))
    await output.finish()
    expect(lstatSync(join(place, 'link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(place, 'file'), 'latin1')).toMatch(/^LKTEST01/)
    expect(statSync(join(place, 'new')).size).toBe(5)
  })
})

describe.skipIf(WINDOWS)('what was read is nobody else’s to read', () => {
  const store = (folder: string, notices: string[] = []) =>
    new BlockStore({
      place: new DiskPlace(folder),
      fingerprint: 'f'.repeat(32),
      label: 'm',
      maxBytes: 1e9,
      onNotice: n => notices.push(n),
    })
  const all = (folder: string): string[] =>
    readdirSync(folder, { recursive: true }).map(name => join(folder, name as string))

  it('blocks, the folders that hold them, and sessions', async () => {
    const place = tempFolder()
    expect(await store(join(place, 'cache/blocks')).write(blockOf(1, 'f'.repeat(32), 100))).toBe(true)
    await writeSealed(join(place, 'x.session'), 'LKTEST01', {}, (async function* () {})())
    for (const path of all(place)) {
      expect([path, modeOf(path)]).toEqual([path, statSync(path).isDirectory() ? 0o700 : 0o600])
    }
  })

  it('folders of an earlier version are closed when they are used, by a reader too', async () => {
    for (const use of ['write', 'find'] as const) {
      const place = tempFolder()
      const folder = join(place, 'f'.repeat(32))
      mkdirSync(folder)
      chmodSync(folder, 0o755)
      await (use === 'write'
        ? store(place).write(blockOf(1, 'f'.repeat(32), 100))
        : store(place).find('f'.repeat(32), [1, 2]))
      expect(modeOf(folder)).toBe(0o700)
    }
  })

  it.skipIf(!LINUX)('a folder that cannot be made costs the cache, and one notice', { timeout: 5000 }, async () => {
    const file = join(tempFolder({ file: '' }), 'file')
    for (const folder of ['/proc/nope', '/proc/nope/deep/er', file, join(file, 'x'), '/dev/null/x']) {
      const notices: string[] = []
      const cache = store(folder, notices)
      for (let n = 0; n < 3; n++) {
        expect(await cache.find('f'.repeat(32), [n])).toEqual([])
        expect(await cache.write(blockOf(n, 'f'.repeat(32), 100))).toBe(false)
      }
      expect(notices.filter(notice => /could not be kept/.test(notice))).toHaveLength(1)
      expect(notices.length).toBeLessThanOrEqual(2)
    }
  })
})

describe('who writes where', () => {
  it('is one at a time, of this process and of others that live', async () => {
    const place = tempFolder()
    mkdirSync(join(place, 'folder'))
    for (const name of ['m.gguf', 'folder', 'folder/']) {
      const release = await reserve(join(place, name))
      expect(await reserve(join(place, name))).toBeNull()
      await release?.()
      const again = await reserve(join(place, name))
      expect(again).not.toBeNull()
      await again?.()
    }
    expect(readdirSync(place)).toEqual(['folder'])
    expect(readdirSync(join(place, 'folder'))).toEqual([])
  })

  it('is forgotten of a process that is gone, and of one that never said who it is', async () => {
    const place = tempFolder()
    const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid, require("os").hostname())'])
    writeFileSync(join(place, 'a.writing'), gone.stdout)
    writeFileSync(join(place, 'b.writing'), '')
    writeFileSync(join(place, 'c.writing'), '')
    utimesSync(join(place, 'b.writing'), 1, 1)
    for (const [name, free] of [
      ['a', true],
      ['b', true],
      ['c', false],
    ] as const) {
      const release = await reserve(join(place, name))
      expect([name, release !== null]).toEqual([name, free])
      await release?.()
    }
  })

  it.skipIf(!LINUX)('is forgotten of a process that was killed and that its parent does not ask about', async () => {
    // The shell becomes a program that never waits for its children.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
    onTestFinished(() => void parent.kill())
    const pid = Number(await new Promise(done => parent.stdout.once('data', done)))
    const path = join(tempFolder(), 'm.gguf')
    writeFileSync(`${path}.writing`, `${pid} ${hostname()}\n`)
    expect(await reserve(path)).toBeNull()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z ')
    const release = await reserve(path)
    expect(release).not.toBeNull()
    await release?.()
  })

  it('is said in a sentence, and what is there stays', async () => {
    const out = join(tempFolder(), 'm.gguf')
    let second: unknown
    await alone(out, async () => {
      second = await alone(out, async () => 'both').catch((error: unknown) => error)
    })
    expect(second).toMatchObject({ name: 'ConversionError', code: 'in_use' })
    expect((second as Error).message).toMatch(/Another conversion writes to .*m\.gguf now/)
  })
})

describe.skipIf(WINDOWS)('a process that is ended', () => {
  const PROGRAM = `
    import { mkdirSync, writeFileSync } from 'node:fs'
    import { beginPartial, endPartial } from './dist/src/files/partial-files.js'
    const [place, how] = process.argv.slice(1)
    const make = name => { beginPartial(place + '/' + name); writeFileSync(place + '/' + name, 'x') }
    make('begun'); make('whole'); endPartial(place + '/whole')
    beginPartial(place + '/folder'); mkdirSync(place + '/folder'); writeFileSync(place + '/folder/x', '')
    if (how === 'listens') process.on('SIGTERM', () => setTimeout(() => { endPartial(place + '/begun'); process.exit(7) }, 50))
    if (how === 'exits') process.exit(3)
    if (how === 'throws') throw new Error('oh')
    console.log('ready')
    setInterval(() => {}, 1000)`

  it.each([
    ['SIGTERM', '', 'SIGTERM', ['whole']],
    ['SIGINT', '', 'SIGINT', ['whole']],
    ['SIGHUP', '', 'SIGHUP', ['whole']],
    ['no signal, by itself', 'exits', 3, ['whole']],
    ['no signal, by an error', 'throws', 1, ['whole']],
    ['SIGTERM, which it listens to itself', 'listens', 7, ['begun', 'whole']],
  ])('by %s takes its parts with it', async (signal, how, outcome, left) => {
    const place = tempFolder()
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, place, how], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = new Promise(resolve => child.once('exit', (code, by) => resolve(by ?? code)))
    if (signal.startsWith('SIG')) {
      await new Promise(resolve => child.stdout.once('data', resolve))
      child.kill(signal.split(',')[0] as NodeJS.Signals)
    }
    expect(await ended).toBe(outcome)
    expect(readdirSync(place).sort()).toEqual(left)
  })

  it('is ended by a signal that comes as the last part is complete', async () => {
    const place = tempFolder()
    const program = `${PROGRAM.slice(0, PROGRAM.indexOf('const make'))}
      beginPartial(place + '/x')
      process.kill(process.pid, 'SIGTERM')
      endPartial(place + '/x')
      setTimeout(() => {}, 3000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, place, ''])
    expect(await new Promise(resolve => child.once('exit', (code, by) => resolve(by ?? code)))).toBe('SIGTERM')
  })

  it('while its thread saves a session leaves no part of it', async () => {
    const place = tempFolder()
    const program = `
      import { Engine } from 'latentkit'
      const engine = await Engine.load('models/tales-mla-8m', { threads: 1 })
      const session = engine.session()
      await session.prompt('Once', { maxTokens: 1500, ignoreEos: true })
      console.log('ready')
      for (;;) await session.save('${place}/x.session')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = new Promise(resolve => child.once('exit', (code, by) => resolve(by ?? code)))
    await new Promise(resolve => child.stdout.once('data', resolve))
    while (!readdirSync(place).some(name => name.endsWith('.part')) && child.exitCode === null) await sleep(1)
    await sleep(20)
    child.kill('SIGTERM')
    expect(await ended).toBe('SIGTERM')
    expect(readdirSync(place).filter(name => name !== 'x.session')).toEqual([])
    expect(existsSync(place)).toBe(true)
  })
})
