// Builds prebuilt/grammar.wasm from native-grammar with cargo: llguidance, with the few lines changed that
// native-grammar/patches.json lists, behind a C interface. The result is committed, so that only who changes it needs
// Rust; a test compares them. `CARGO` names another program.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const crate = path.join(root, 'native-grammar')
const cargo = process.env.CARGO || 'cargo'
const TARGET = 'wasm32-unknown-unknown'
/** The compiler that the committed file is from: another one gives other bytes. */
export const RUSTC = '1.95.0'
export const OUTPUT = path.join(root, 'prebuilt', 'grammar.wasm')
const run = promisify(execFile)

/** Whether the programs are there; else why not. */
export async function rustProblem() {
  try {
    const { stdout } = await run(cargo, ['--version'])
    if (!stdout.startsWith(`cargo ${RUSTC} `)) return `${stdout.trim()} is not cargo ${RUSTC}`
    const { stdout: folder } = await run('rustc', ['--print', 'target-libdir', '--target', TARGET])
    if (!existsSync(folder.trim())) return `Rust's target ${TARGET} is not installed`
  } catch (error) {
    return `${cargo} cannot be run (${error.code ?? error.message})`
  }
  return null
}

/** A copy of the crate with the patched llguidance inside, so that no path of this machine gets into the file. */
async function patchedCopy(folder) {
  cpSync(crate, folder, { recursive: true, filter: source => path.basename(source) !== 'target' })
  const { stdout } = await run(cargo, ['metadata', '--locked', '--format-version', '1'], {
    cwd: crate,
    maxBuffer: 1 << 26,
  })
  const { packages } = JSON.parse(stdout)
  const source = path.dirname(packages.find(({ name }) => name === 'llguidance').manifest_path)
  const copy = path.join(folder, 'llguidance')
  for (const name of ['src', 'Cargo.toml', 'build.rs', 'llguidance.h']) {
    cpSync(path.join(source, name), path.join(copy, name), { recursive: true })
  }
  // Tests and benches of the manifest are not in the copy.
  const manifest = path.join(copy, 'Cargo.toml')
  const text = readFileSync(manifest, 'utf8').replace(/\[\[(test|bench)\]\]\n(?:[^\n[]+\n)+/g, '')
  writeFileSync(manifest, text)
  for (const { file, from, to } of JSON.parse(readFileSync(path.join(crate, 'patches.json'), 'utf8'))) {
    const target = path.join(copy, file)
    const parts = readFileSync(target, 'utf8').split(from)
    if (parts.length !== 2) throw new Error(`${file} of llguidance has ${parts.length - 1} times ${from}; expected 1`)
    writeFileSync(target, parts.join(to))
  }
  mkdirSync(path.join(folder, '.cargo'))
  writeFileSync(path.join(folder, '.cargo', 'config.toml'), '[patch.crates-io]\nllguidance = { path = "llguidance" }\n')
  return packages
}

/** Of a crate's folder, the texts of its licences: MIT's where there is a choice. */
function licenceOf({ license, manifest_path }) {
  const folder = path.dirname(manifest_path)
  const files = readdirSync(folder).filter(name => /^(LICEN[CS]E|COPYING)/i.test(name))
  const mit = files.filter(name => /MIT/i.test(name))
  const chosen = mit.length > 0 && /MIT/.test(license) ? mit : files
  return chosen.map(name => readFileSync(path.join(folder, name), 'utf8').trim()).join('\n\n')
}

/** The licences of everything that is compiled into the module. */
async function thirdParty() {
  const shape = ['tree', '--locked', '--target', TARGET, '-e', 'normal,no-proc-macro', '--prefix', 'none', '-f', '{p}']
  const { stdout: tree } = await run(cargo, shape, { cwd: crate })
  const { stdout } = await run(cargo, ['metadata', '--locked', '--format-version', '1'], {
    cwd: crate,
    maxBuffer: 1 << 26,
  })
  const used = new Set(tree.split('\n').map(line => line.split(' ').slice(0, 2).join(' ')))
  const packages = JSON.parse(stdout).packages.filter(
    ({ name, version, source }) => source && used.has(`${name} v${version}`),
  )
  // The same text stands once, with all that it is for.
  const texts = new Map()
  for (const one of packages.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const text = licenceOf(one)
    if (text === '') throw new Error(`${one.name} has no text of its licence (${one.license})`)
    texts.set(text, [...(texts.get(text) ?? []), `${one.name} ${one.version} (${one.license})`])
  }
  const parts = [...texts].map(([text, names]) => `## ${names.join(', ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`)
  return (
    '# Licences of what prebuilt/grammar.wasm holds\n\nWritten by `npm run build:grammar`. llguidance is changed as ' +
    `\`patches.json\` says. Rust's standard library (MIT OR Apache-2.0) is part of the module, too.\n\n${parts.join('\n')}`
  )
}

/** Writes the module. */
export async function buildGrammar(output) {
  const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-grammar-'))
  try {
    const packages = await patchedCopy(folder)
    const registry = path.dirname(path.dirname(packages.find(({ name }) => name === 'derivre').manifest_path))
    const { stdout: sysroot } = await run('rustc', ['--print', 'sysroot'])
    const flags = [
      ...[`--remap-path-prefix=${folder}=.`, `--remap-path-prefix=${registry}=crates`],
      ...[`--remap-path-prefix=${sysroot.trim()}=rust`],
      // Deep schemas recurse; the stack lies below the data, so that running over it traps. 1 GiB is the most it may use.
      ...['-Clink-arg=-zstack-size=8388608', '-Clink-arg=--max-memory=1073741824'],
    ]
    const target = path.join(folder, 'target')
    await run(cargo, ['build', '--release', '--target', TARGET], {
      cwd: folder,
      maxBuffer: 1 << 26,
      env: { ...process.env, CARGO_TARGET_DIR: target, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') },
    })
    cpSync(path.join(target, TARGET, 'release', 'latentkit_grammar.wasm'), output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const problem = await rustProblem()
  if (problem) {
    console.error(`${problem}: install Rust ${RUSTC} by rustup, and \`rustup target add ${TARGET}\`.`)
    process.exit(1)
  }
  await buildGrammar(OUTPUT)
  writeFileSync(path.join(crate, 'THIRD-PARTY.md'), await thirdParty())
}
