// Installs llama.cpp (85 MB) beside this file, once. `npm ci` would insist on packages for every platform, some of which
// not every registry has; without `--save` npm takes the versions of the lock file just as well.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const options = ['--no-save', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error']

if (!existsSync(path.join(folder, 'node_modules', 'node-llama-cpp'))) {
  const npm = spawnSync('npm', ['install', ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (npm.status !== 0) {
    console.error(`llama.cpp could not be installed in ${folder}; it has a prebuilt library here for linux-x64 only`)
    process.exit(1)
  }
}

// Its build for AMX ends the process when it opens quantised files with latent attention (GGML_ASSERT(*cur_backend_id != -1) in
// ggml-backend.cpp): such processors take the next build.
const builds = path.join(folder, 'node_modules', '@node-llama-cpp', 'linux-x64', 'bins', 'linux-x64')
rmSync(path.join(builds, 'libggml-cpu-sapphirerapids.so'), { force: true })
