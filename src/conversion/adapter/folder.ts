/** An adapter as PEFT's folder. */
import type { AdaptedModule, Adapter } from '../../adapter/adapter.ts'
import { peftConfig } from '../../adapter/peft-config.ts'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, PEFT_PREFIX } from '../../adapter/peft-files.ts'
import { recoded } from '../../checkpoint/recode/recoded.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { weightBytes } from '../../tensor/dtype.ts'
import type { HubTensor, HubType } from '../hub/plan-tensors.ts'
import { writeFolder } from '../hub/write-folder.ts'
import { safetensorsHeader, writeSafetensors } from '../hub/write-safetensors.ts'
import { checkRoom, type OutputOptions } from '../output.ts'
import { summarise, type Written } from '../written.ts'

const OF_AN_ADAPTER = /^adapter_(config\.json|model\.(safetensors|bin))$/

/** `source`: the base model's path, as it was given. */
export function prepareAdapterFolder(
  { modules }: Adapter,
  base: OpenedModel,
  source: string,
  weights: HubType | undefined,
) {
  const tensors = modules.flatMap(({ module, down, up }) => [
    tensorOf(`${PEFT_PREFIX}${module}.lora_A.weight`, down, weights),
    tensorOf(`${PEFT_PREFIX}${module}.lora_B.weight`, up, weights),
  ])
  const config = new TextEncoder().encode(`${JSON.stringify(configOf(modules, base, source), null, 2)}\n`)
  const types = summarise(tensors)
  const bytes =
    safetensorsHeader(tensors).length + config.length + tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
  return {
    bytes,
    warnings: [],
    write: async (folder: string, options: OutputOptions): Promise<Written> => {
      await checkRoom(folder, bytes)
      const files = await writeFolder(folder, OF_AN_ADAPTER, options, async open => {
        await writeSafetensors(await open(ADAPTER_WEIGHTS), tensors)
        await (await open(ADAPTER_CONFIG)).write(config)
      })
      return { files, types }
    },
  }
}

/** The first module's rank and alpha, and those of modules that have others. */
function configOf(modules: readonly AdaptedModule[], { family, checkpoint }: OpenedModel, source: string): object {
  const alphaOf = ({ scale, down }: AdaptedModule) => scale * down.rows
  const [first] = modules as [AdaptedModule, ...AdaptedModule[]]
  const [rank, alpha] = [first.down.rows, alphaOf(first)]
  const others = (of: (module: AdaptedModule) => number, usual: number) =>
    Object.fromEntries(modules.flatMap(module => (of(module) === usual ? [] : [[module.module, of(module)]])))
  return peftConfig({
    base: source,
    rank,
    alpha,
    rankStabilised: false,
    transposed: family.names.transposed === true && !checkpoint.canonical,
    targets: modules.map(({ module }) => module),
    ranks: others(({ down }) => down.rows, rank),
    alphas: others(alphaOf, alpha),
  })
}

function tensorOf(name: string, source: WeightSource, weights: HubType | undefined): HubTensor {
  const part = weights ? recoded(source, weights) : source
  const { dtype, rows, cols } = part
  return { name, type: dtype as HubType, shape: [rows, cols], bytes: weightBytes(dtype, rows, cols), source: part }
}
