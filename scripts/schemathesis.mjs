// schemathesis (PyPI) against a running server: requests made of /openapi.json, valid and not, for a bounded time. Fails on a status of
// 500 or above, on a status, a type or a form of an answer that /openapi.json does not have, and on a body that it forbids and the server
// takes. Bodies that it allows and the server refuses are no fault: what roles and schemas mean is said by the server, not by a schema.
// Skips, and says so, where schemathesis is not installed. usage: node scripts/schemathesis.mjs [--seconds 120]
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { serve } from './served.mjs'

const VERSION = '4.32.5'
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'],
  ...['negative_data_rejection', 'unsupported_method', 'allow_header_conformance'],
]

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '120' } } })
const program = process.env.LATENTKIT_SCHEMATHESIS ?? 'schemathesis'
const found = spawnSync(program, ['--version'], { encoding: 'utf8' })
if (found.status !== 0) {
  console.log(
    `SKIPPED: schemathesis is not installed; pip install schemathesis==${VERSION}, or LATENTKIT_SCHEMATHESIS=PATH`,
  )
  process.exit(0)
}

/** Of saved slots, and of what schemathesis leaves. */
const folder = mkdtempSync(path.join(tmpdir(), 'latentkit-openapi-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
// Half a minute is more than any answer of this model takes.
const options = ['--no-disk-cache', '--timeout', '30', '--slot-save-path', path.join(folder, 'slots')]
const { process: server, url } = await serve(...options)
const asked = [
  'run',
  `${url}/openapi.json`,
  '--max-time',
  values.seconds,
  '--phases',
  'coverage,fuzzing',
  '--no-shrink',
]
const limits = ['--continue-on-failure', '--request-timeout', '60', '--checks', CHECKS.join(',')]
const run = spawn(program, [...asked, ...limits], { stdio: 'inherit', cwd: folder })
process.exitCode = await new Promise(resolve => run.once('exit', code => resolve(code ?? 1)))
server.kill('SIGTERM')
