/** `latentkit verify`: a checkpoint's numbers beside those of another engine. */
import { type Command, Option } from 'commander'
import { CACHE_TYPE_NAMES, CACHE_TYPES_SHOWN, KERNEL_SETS, type KernelSet, printable } from '../../../src/for-apps.ts'
import type { AttentionPath, CacheTypeName } from '../../../src/index.ts'
import type { Arithmetic, Prefill, VerifyReport, VerifyRow } from '../../../src/tools.ts'
import { withEnvironment } from '../environment.ts'
import { EXIT, UsageError } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { collect, integer, list, oneOf, unescaped } from '../options/parsers.ts'
import { PATHS } from '../options/sampling.ts'
import { colours } from '../output/colour.ts'
import { plural } from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'
import { availableKernels } from '../verify/kernel-sets.ts'
import { poolView, reportView, summaryView } from '../verify/views.ts'

const ARITHMETICS: readonly Arithmetic[] = ['exact', '8-bit']
const PREFILLS: readonly Prefill[] = ['whole', 'chunked', 'token']

const MAKING = 'Making numbers:'

interface Flags {
  kernels?: (KernelSet | 'auto')[]
  arithmetic?: Arithmetic[]
  exact?: boolean
  cacheType?: CacheTypeName[]
  path?: AttentionPath[]
  prefill?: Prefill[]
  threads?: number
  isa?: string
  make?: boolean
  prompt?: string[]
  greedy?: number
  force?: boolean
  json?: boolean
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .summary("compare a model's numbers with another engine's")
    .description(
      'Computes a checkpoint every way there is (kernels, attention path, prefill whole, in chunks and token by token) and compares with the numbers of another engine in expected.safetensors beside it; docs/verify.md has the format.',
    )
    .argument('<folder...>', 'folders that hold a checkpoint and expected.safetensors, or GGUF files')
    .addOption(
      new Option('--kernels <list>', `of ${KERNEL_SETS.join(', ')} (default: all that are there)`).argParser(
        list(oneOf([...KERNEL_SETS, 'auto'])),
      ),
    )
    .addOption(
      new Option(
        '--arithmetic <list>',
        `products with quantised weights: ${ARITHMETICS.join(', ')} (default: both)`,
      ).argParser(list(oneOf(ARITHMETICS))),
    )
    .addOption(new Option('--exact', 'the same as --arithmetic exact'))
    .addOption(
      new Option(
        '--cache-type <list>',
        `of ${CACHE_TYPES_SHOWN} (default: f32, f16, bf16; f16 with 8-bit arithmetic)`,
      ).argParser(list(oneOf(CACHE_TYPE_NAMES))),
    )
    .addOption(new Option('--path <list>', `of ${PATHS.join(', ')} (default: both)`).argParser(list(oneOf(PATHS))))
    .addOption(
      new Option('--prefill <list>', `of ${PREFILLS.join(', ')} (default: all)`).argParser(list(oneOf(PREFILLS))),
    )
    .addOption(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1, 1024)))
    .addOption(new Option('--isa <name>', 'a lower instruction set: avx512, avx2, portable, neon'))
    .addOption(
      new Option(
        '--make',
        'write such numbers by the reference kernels (or --kernels NAME), to hold others to',
      ).helpGroup(MAKING),
    )
    .addOption(
      new Option('--prompt <text>', 'a text to compute; may be given again (default: two sentences)')
        .argParser(collect(unescaped))
        .helpGroup(MAKING),
    )
    .addOption(
      new Option('--greedy <n>', 'tokens of greedy text (default: 16)').argParser(integer(0, 4096)).helpGroup(MAKING),
    )
    .addOption(new Option('--force', 'replace a file that is there').helpGroup(MAKING))
    .option('--json', 'all reports as one object')
    .addHelpText(
      'after',
      `
Errors are |got - expected| / (1 + |expected|), the worst of all prompts; rms is
the root mean square of the logits' plain differences, median that of positions.
Tolerance with an f32 cache: 2e-4 for every number (4e-4 on WebAssembly without
relaxed SIMD, which rounds more often), and greedy text equal; with f16 and
bf16: rms (with experts, median) 0.02 and 0.1. Quantised weights with 8-bit
activations: rms 0.15 (with experts, median 0.6), and over all files the
expected token at most 2 points less often the likeliest than in llama.cpp. The
exit code is 1 if a folder is out of tolerance or cannot be read.

Examples:
  $ latentkit verify ./my-model
  $ latentkit verify checkpoints/* --kernels native --cache-type f32
  $ latentkit verify models/*.gguf --kernels native --arithmetic 8-bit
  $ latentkit verify --make ./my-model --prompt "The old fox said"
  $ latentkit verify ./my-model --json | jq '.reports[].rows[].logitError'`,
    )
    .action(verify)
}

async function verify(folders: readonly string[], flags: Flags): Promise<void> {
  if (flags.make) return make(folders, flags)
  for (const name of ['prompt', 'greedy', 'force'] as const) {
    if (flags[name] !== undefined) throw new UsageError(`--${name} belongs to --make, which was not given`)
  }
  const { signal } = watchInterrupt()
  const { onePathPerModel, poolAgreement } = await import('../../../src/for-apps.ts')
  const { verifyFolder } = await import('../../../src/tools.ts')
  const { threads, isa } = withEnvironment({
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.isa !== undefined && { isa: flags.isa }),
  })
  const named = flags.kernels?.flatMap(name => (name === 'auto' ? [] : [name]))
  const { sets, skipped } = await availableKernels(named?.length ? named : undefined, {
    ...(threads !== undefined && { threads }),
    ...(isa !== undefined && { isa }),
  })
  for (const { reason } of skipped) note(colours(process.stderr).yellow(`left out: ${reason}`))

  const reports: VerifyReport[] = []
  const c = colours(process.stdout)
  const models = onePathPerModel(folders)
  for (const [i, folder] of models.entries()) {
    const progress = new Progress()
    const where = `${i + 1} of ${models.length}  ${folder}`
    progress.note(where)
    const report = await verifyFolder(folder, {
      kernels: sets,
      ...(flags.arithmetic && { arithmetic: flags.arithmetic }),
      ...(flags.exact && { arithmetic: ['exact'] }),
      ...(flags.cacheType && { cacheTypes: flags.cacheType }),
      ...(flags.prefill && { prefills: flags.prefill }),
      ...(flags.path && { paths: flags.path }),
      onRow: row => progress.note(`${where}  ${wayOf(row)} done`),
      signal,
    }).finally(() => progress.stop())
    reports.push(report)
    if (!flags.json) await writeView(`${reportView(report, c)}\n`)
  }
  const pooled = poolAgreement(reports)
  const passed = [...reports, ...pooled].every(r => r.passed)
  if (flags.json) await writeJson({ passed, reports, pooled, skipped })
  else await writeView([...pooled.map(p => poolView(p, c)), summaryView(reports, c)].join('\n'))
  if (!passed) process.exitCode = EXIT.failed
}

/** Each folder's own file; the first that cannot be made ends it. */
async function make(folders: readonly string[], flags: Flags): Promise<void> {
  const { signal } = watchInterrupt()
  const { onePathPerModel } = await import('../../../src/for-apps.ts')
  const { chooseKernels, makeExpected } = await import('../../../src/tools.ts')
  const [name = 'reference', ...more] = flags.kernels ?? []
  if (more.length > 0) throw new UsageError('--make computes with one kernel set; give --kernels one name')
  const made = []
  for (const folder of onePathPerModel(folders)) {
    const progress = new Progress()
    progress.note(`computing ${folder}`)
    const { threads, isa } = flags
    const options = { exact: true, ...(threads !== undefined && { threads }), ...(isa !== undefined && { isa }) }
    const { kernels } = await chooseKernels(name, options)
    const done = await makeExpected(folder, {
      kernels,
      ...(flags.prompt && { prompts: flags.prompt }),
      ...(flags.greedy !== undefined && { greedy: flags.greedy }),
      ...(flags.force && { force: true }),
      onPrompt: (n, of) => progress.note(`computing ${folder}  ${n} of ${of} prompts`),
      signal,
    }).finally(() => progress.stop())
    made.push(done)
    const tokens = done.prompts.reduce((n, p) => n + p.tokens.length, 0)
    const what = `${plural(done.prompts.length, 'prompt')}, ${plural(tokens, 'token')}, by ${done.kernels} kernels`
    if (!flags.json) await write(`${printable(done.path)}: ${what}\n`)
  }
  if (flags.json) await writeJson({ made })
}

function wayOf({ kernels, arithmetic, cacheType, path, prefill }: VerifyRow): string {
  return [kernels, arithmetic, cacheType, path, prefill].filter(Boolean).join(' ')
}
