/** `latentkit convert`: a model in another format or type. */
import { type Command, Option } from 'commander'
import type { EncodableType } from '../../../src/index.ts'
import type { Conversion } from '../../../src/tools.ts'
import { hubOptions } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { withProgress } from '../load-engine.ts'
import { modelArgument } from '../model-argument.ts'
import { WEIGHT_TYPES } from '../options/load.ts'
import { bytes, oneOf } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  weights?: EncodableType
  lora?: string
  base?: string
  legacyMla?: boolean
  force?: boolean
  shardSize?: number
  offline?: boolean
  quiet?: boolean
  json?: boolean
}

export function addConvert(program: Command): void {
  program
    .command('convert')
    .summary('safetensors into GGUF, and back; quantise')
    .description(
      'Writes a model in another form: as a GGUF file that llama.cpp reads, or as a folder with safetensors for the hub. A LoRA adapter becomes the other form of it. The output is there whole or not at all.',
    )
    .argument('<in>', 'a folder, a GGUF file, or org/name on the hub')
    .argument('<out>', 'NAME.gguf makes a GGUF file, any other name a folder')
    .addOption(
      new Option(
        '--weights <type>',
        'the type of the matrices (default: as they are); embedding, output, routers, norms and the projection to the latent get one that suits them',
      ).argParser(oneOf(WEIGHT_TYPES)),
    )
    .addOption(new Option('--lora <path>', 'take in the changes of a LoRA adapter, a folder of PEFT or a GGUF file'))
    .addOption(new Option('--base <model>', 'of an adapter: the model that it is for (default: what it names)'))
    .option('--legacy-mla', 'GGUF with one attn_kv_b per layer, for old programs')
    .addOption(new Option('--shard-size <bytes>', 'most bytes of one safetensors file (default: 5GB)').argParser(bytes))
    .option('--force', 'replace what is there')
    .addOption(new Option('--offline', 'never use the network'))
    .option('--quiet', 'no summary')
    .option('--json', 'one object with files, types and bytes')
    .addHelpText(
      'after',
      `
Types: ${WEIGHT_TYPES.slice(0, 9).join(', ')},
       ${WEIGHT_TYPES.slice(9).join(', ')}.
A safetensors folder takes f32, f16 and bf16 (default for quantised weights).

Examples:
  $ latentkit convert ./my-model my-model.gguf --weights q8_0
  $ latentkit convert ./my-model my-model.gguf --weights q4_k
  $ latentkit convert my-model.gguf ./my-model --weights bf16
  $ latentkit convert ./my-model merged.gguf --lora ./my-adapter --weights q8_0
  $ latentkit convert ./my-adapter adapter.gguf --base ./my-model`,
    )
    .action(convert)
}

async function convert(input: string, output: string, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const { convertModel } = await import('../../../src/tools.ts')
  const hub = await hubOptions(flags)
  const conversion = await withProgress(onProgress =>
    convertModel(modelArgument(input).source, output, {
      ...hub,
      ...(flags.weights && { weights: flags.weights }),
      ...(flags.lora !== undefined && { lora: flags.lora }),
      ...(flags.base !== undefined && { base: flags.base }),
      ...(flags.legacyMla && { legacyMla: true }),
      ...(flags.force && { force: true }),
      ...(flags.shardSize && { shardBytes: flags.shardSize }),
      signal,
      onProgress,
    }),
  )
  release()
  if (flags.json) return writeJson(conversion)
  const c = colours(process.stderr)
  for (const warning of conversion.warnings) note(c.yellow(warning))
  if (!flags.quiet) await writeView(summary(conversion))
}

/** `my-model.gguf: 139 MiB, deepseek_v3: q8_0 131 MiB in 210 tensors, f32 8.1 MiB in 61` */
function summary({ output, bytes, modelType, types }: Conversion): string {
  const each = types
    .map((t, i) => {
      const count = i === 0 ? format.plural(t.tensors, 'tensor') : format.integer(t.tensors)
      return `${t.type} ${format.bytes(t.bytes)} in ${count}`
    })
    .join(', ')
  return `${colours(process.stdout).bold(output)}: ${format.bytes(bytes)}, ${modelType}: ${each}`
}
