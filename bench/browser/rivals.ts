/** wllama and transformers.js with the model that the latter needs, in a folder beside the work models: nothing of the package depends on them. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const HERE = path.resolve('bench', 'browser')
/** What the export needs of PyPI. */
const PYTHON_PACKAGES = ['onnx==1.23.2', 'gguf==0.19.0', 'numpy==2.4.6']
const NPM = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']

/** The node_modules of the rivals, installed once. Throws where npm cannot. */
export function installRivals(models: string): string {
  const folder = path.join(models, 'browser-rivals')
  const installed = path.join(folder, 'node_modules')
  if (!existsSync(path.join(installed, '@wllama', 'wllama'))) {
    console.error(`installing wllama and transformers.js into ${folder}`)
    mkdirSync(folder, { recursive: true })
    copyFileSync(path.join(HERE, 'package.json'), path.join(folder, 'package.json'))
    run('npm', ['install', ...NPM], folder)
  }
  return installed
}

/** The folder of the ONNX export of a GGUF file, written once by each version of the script. Throws where Python cannot. */
export function exportOnnx(gguf: string, models: string): string {
  const script = path.join(HERE, 'export-onnx.py')
  const version = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 8)
  const folder = path.join(models, `${path.parse(gguf).name}-onnx-${version}`)
  // Written last.
  if (existsSync(path.join(folder, 'generation_config.json'))) return folder
  console.error(`exporting ${path.basename(gguf)} into ${folder}`)
  run(python(models), [script, gguf, folder])
  return folder
}

/** LATENTKIT_PYTHON, else one of its own with the packages. */
function python(models: string): string {
  if (process.env.LATENTKIT_PYTHON) return process.env.LATENTKIT_PYTHON
  const folder = path.join(models, 'onnx-python')
  const program = path.join(folder, 'bin', 'python')
  if (!existsSync(path.join(folder, 'bin', 'pip'))) run('python3', ['-m', 'venv', folder])
  run(program, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PYTHON_PACKAGES])
  return program
}

function run(program: string, args: readonly string[], cwd?: string): void {
  // Only the results go to stdout.
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...(cwd && { cwd }) })
  if (status !== 0)
    throw new Error(`${program} ${args[0]} ${args[1] ?? ''} failed: ${error?.message ?? `exit ${status}`}`)
}
