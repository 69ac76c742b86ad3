/** Biases of projections, which the other form of files may want for all of a kind, or have no place for. */

import { listed } from '../checkpoint/quote.ts'
import { memorySource } from '../checkpoint/source/memory-source.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { BiasGroup } from '../families/biases.ts'
import type { SurveyedWeight } from '../model/load.ts'

/**
 * The weights with zeros where a group needs a bias that the model does not have, and what config.json has to say. Throws
 * UnsupportedModelError for a bias that no group takes: it would be lost. `reader`: who reads the files, for the message.
 */
export function settleBiases(weights: readonly SurveyedWeight[], groups: readonly BiasGroup[], reader: string) {
  const there = new Map(weights.map(w => [w.name, w]))
  const isNorm = (module: string) => there.get(`${module}.weight`)?.role === 'vector'
  const biased = [...there.keys()].flatMap(name => (name.endsWith('.bias') ? [name.slice(0, -'.bias'.length)] : []))
  const homeless = biased.filter(module => !isNorm(module) && !groups.some(group => group.modules.test(module)))
  if (homeless.length > 0) {
    const names = listed(homeless.map(module => `${module}.bias`))
    throw new UnsupportedModelError(`${reader} has no place for ${names}; the converted model would compute without`)
  }
  const settings: Record<string, boolean> = {}
  const whole: RegExp[] = []
  for (const { modules: kind, single, always, key } of groups) {
    const used = always || biased.some(module => kind.test(module))
    if (key !== undefined) settings[key] = used
    if (used && !single) whole.push(kind)
  }
  const needs = (module: string) => !there.has(`${module}.bias`) && whole.some(kind => kind.test(module))
  return {
    weights: weights.flatMap(w => {
      const module = moduleOf(w.name)
      return w.role !== 'vector' && needs(module) ? [w, zeros(`${module}.bias`, w.rows)] : [w]
    }),
    settings,
  }
}

function moduleOf(tensor: string): string {
  return tensor.replace(/\.weight$/, '')
}

function zeros(name: string, length: number): SurveyedWeight {
  const source = memorySource(name, new Uint8Array(4 * length))
  const bytes = { source, offset: 0, length: source.size }
  return {
    name,
    dtype: 'f32',
    rows: 1,
    cols: length,
    bytes,
    role: 'vector',
    ofExpert: false,
    added: 0,
    announced: true,
  }
}
