import { stateNames, type TensorNaming } from '../../checkpoint/gguf/tensor-naming.ts'

export interface GgufName {
  readonly name: string
  /** Which of the tensor's experts a matrix is. */
  readonly expert?: number
}

/**
 * llama.cpp's names for the hub's: the reader's table inverted. Undefined for names it does not have. `carriesState`: by a layer's
 * number.
 */
export function ggufNames(
  naming: TensorNaming,
  carriesState: (layer: number) => boolean,
): (hubName: string) => GgufName | undefined {
  const model = invertedTable(naming.model)
  const inLayer = invertedTable(naming.inLayer)
  const inStateLayer = invertedTable(stateNames(naming))
  const layer = numbered(naming.layer, '{layer}')
  const expert = naming.experts && numbered(naming.experts.expert, '{expert}')
  const stacked = new Map(
    Object.entries(naming.experts?.modules ?? {}).flatMap(([name, modules]) =>
      modules.length === 1 ? [[modules[0] as string, name]] : [],
    ),
  )
  return hubName => {
    const [number, rest] = layer(hubName)
    if (rest === undefined) return named(model, hubName, '')
    const at = `blk.${number}.`
    const [which, part] = expert?.(rest) ?? []
    if (part === undefined) return named(carriesState(Number(number)) ? inStateLayer : inLayer, rest, at)
    const found = named(stacked, part, at)
    return found && { ...found, expert: Number(which) }
  }
}

/** Where two of llama.cpp's names stand for one of the hub's the first is what it writes today. */
function invertedTable(table: Readonly<Record<string, string>>): Map<string, string> {
  const names = new Map<string, string>()
  for (const [gguf, hub] of Object.entries(table)) if (!names.has(hub)) names.set(hub, gguf)
  return names
}

/** Reads names that a template begins: the number in the slot's place, and what comes behind. */
function numbered(template: string, slot: string): (name: string) => readonly [number?: string, rest?: string] {
  const [before = '', after = ''] = template.split(slot)
  return name => {
    const number = name.startsWith(before) ? /^\d+/.exec(name.slice(before.length))?.[0] : undefined
    const behind = name.slice(before.length + (number?.length ?? 0))
    return number !== undefined && behind.startsWith(after) ? [number, behind.slice(after.length)] : []
  }
}

/** The name of the whole tensor, or that of its module. */
function named(names: ReadonlyMap<string, string>, hubName: string, at: string): GgufName | undefined {
  const whole = names.get(hubName)
  if (whole !== undefined) return { name: at + whole }
  const [, module, suffix] = /^(.*)(\.weight|\.bias)$/.exec(hubName) ?? []
  const found = module === undefined ? undefined : names.get(module)
  return found === undefined ? undefined : { name: at + found + suffix }
}
