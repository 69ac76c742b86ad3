/** The packages as they are published, made once for all tests of a file. */
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CORES, coreProblem, isNative, packCore, packMain } from '../../scripts/package.mjs'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
export const ADDON = join(ROOT, 'build', 'latentkit.node')

/** This machine's core; `problem` says why there is none. */
export function ownCore(): { readonly name: string; readonly problem: string | null } {
  const [name, core] = Object.entries(CORES).find(([, core]) => isNative(core)) ?? []
  if (!name || !core) return { name: '', problem: `no core is published for ${process.platform}-${process.arch}` }
  return { name, problem: coreProblem(core) ?? (existsSync(ADDON) ? null : 'the native kernels are not built') }
}

const OUT = mkdtempSync(join(tmpdir(), 'latentkit-packed-'))
process.on('exit', () => rmSync(OUT, { recursive: true, force: true }))

export const packLatentkit = (): string => packMain(OUT)

export const packOwnCore = (): Promise<string> => packCore(ownCore().name, OUT, ADDON)

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A user's machine: node and npm, no compiler and no settings; a folder for a project of theirs. */
export class Machine {
  readonly folder: string
  readonly #bin: string

  constructor() {
    this.folder = join(mkdtempSync(join(OUT, 'machine-')), 'app')
    this.#bin = mkdtempSync(join(OUT, 'bin-'))
    mkdirSync(this.folder)
    symlinkSync(process.execPath, join(this.#bin, 'node'))
    for (const name of ['npm', 'npx', 'sh']) symlinkSync(find(name), join(this.#bin, name))
    this.write('package.json', '{ "name": "app", "private": true, "type": "module" }')
  }

  write(file: string, content: string): void {
    writeFileSync(join(this.folder, file), content)
  }

  /** A compiler in name only: `code` is what its shell script does. */
  addCompiler(code: string): void {
    const file = join(this.#bin, 'g++')
    writeFileSync(file, `#!/bin/sh\n${code}\n`)
    chmodSync(file, 0o755)
  }

  run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const { CXX: _, NODE_OPTIONS: __, ...own } = process.env
    const settings = { HF_HUB_OFFLINE: '1', LATENTKIT_CACHE_DIR: join(this.folder, 'cache'), npm_config_yes: 'true' }
    return new Promise(resolve => {
      const options = {
        cwd: this.folder,
        env: { ...own, ...settings, PATH: this.#bin, ...env },
        encoding: 'utf8',
      } as const
      execFile(program, args, options, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
      )
    })
  }

  /** Null, or why npm cannot install here: packages of others must come from a cache or a registry. */
  async install(files: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string | null> {
    const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--foreground-scripts', ...files]
    const { code, stdout, stderr } = await this.run('npm', args, env)
    this.installed = stdout + stderr
    if (code === 0) return null
    const network = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ENOTCACHED|npm cannot be run/.exec(stderr)
    if (network) return `npm cannot install here: ${network[0]}`
    throw new Error(`npm install failed:\n${stderr}`)
  }

  /** What npm and the scripts said. */
  installed = ''
}

function find(program: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const file = folders.map(folder => join(folder, program)).find(file => existsSync(file))
  if (!file) throw new Error(`${program} is not in PATH`)
  return file
}
