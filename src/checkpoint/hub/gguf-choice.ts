/** Which GGUF model of a repository is meant. A repository holds one model in many quantisations, some of them split. */
import { isGgufName, isTextModel } from '../gguf/find-gguf.ts'
import { partNames } from '../gguf/part-names.ts'

/** One GGUF model of a repository. */
export interface GgufChoice {
  /** `Q4_K_M`; the file's path without its extension if its name has no quantisation, or if another has the same. */
  readonly label: string
  /** Paths of all its files, in order. */
  readonly parts: readonly string[]
}

/** How quantisations end the names of files. */
const QUANTISATION = /(?:^|[-._])((?:UD-|i1-)?(?:I?Q\d\w*|TQ\d_\d|MXFP4(?:_\w+)?|NVFP4|BF16|FP?16|FP?32))$/i
/** What is taken of several where none is named: the usual compromise, else the next in quality, else in size. */
const PREFERRED = [
  'Q4_K_M',
  'Q4_K_S',
  'Q4_0',
  'Q5_K_M',
  'Q5_K_S',
  'Q8_0',
  'Q6_K',
  'Q3_K_M',
  'Q2_K',
  'F16',
  'BF16',
  'F32',
]

/** All GGUF models among a repository's files, by label; not those that see pictures for another. */
export function ggufModels(files: Iterable<string>): GgufChoice[] {
  const firsts = [
    ...new Set([...files].filter(f => isGgufName(f) && isTextModel(f)).map(f => partNames(f)[0] as string)),
  ]
  const quantisations = firsts.map(quantisationOf)
  const labels = firsts.map((file, i) => {
    const own = quantisations[i]
    return own !== undefined && quantisations.filter(q => q === own).length === 1 ? own : stemOf(file)
  })
  const models = firsts.map((file, i) => ({ label: labels[i] as string, parts: partNames(file) }))
  return models.sort((a, b) => (a.label < b.label ? -1 : 1))
}

/** Those of which every file is there. */
export function wholeGgufModels(files: Iterable<string>): GgufChoice[] {
  const there = new Set(files)
  return ggufModels(there).filter(({ parts }) => parts.every(part => there.has(part)))
}

/**
 * The model that `wanted` names: a file's path or name, with or without extension, or the end of one (`Q4_K_M`), in any
 * case. Without `wanted` the only one, or the usual one of several. Undefined where there is none or more than one.
 */
export function chooseGguf(models: readonly GgufChoice[], wanted: string | undefined): GgufChoice | undefined {
  if (wanted === undefined) return models.length === 1 ? models[0] : usual(models)
  const word = plain(wanted)
  const stem = ({ parts }: GgufChoice) => plain(stemOf(parts[0] as string))
  const tests: readonly ((model: GgufChoice) => boolean)[] = [
    model => plain(model.label) === word || model.parts.some(part => plain(part) === word),
    model => baseOf(stem(model)) === word || model.parts.some(part => plain(baseOf(part)) === word),
    model => /[-._/]/.test(stem(model).at(-word.length - 1) ?? '') && stem(model).endsWith(word),
  ]
  for (const test of tests) {
    const found = models.filter(test)
    if (found.length > 0) return found.length === 1 ? found[0] : undefined
  }
  return undefined
}

function usual(models: readonly GgufChoice[]): GgufChoice | undefined {
  for (const label of PREFERRED) {
    const found = models.find(model => model.label.toUpperCase() === label)
    if (found !== undefined) return found
  }
  return undefined
}

function quantisationOf(file: string): string | undefined {
  return QUANTISATION.exec(stemOf(file))?.[1]?.toUpperCase()
}

/** Without extension and without the number of its part. */
export function stemOf(file: string): string {
  return file.replace(/\.gguf$/i, '').replace(/-\d{5}-of-\d{5}$/, '')
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function plain(name: string): string {
  return name.replace(/\.gguf$/i, '').toLowerCase()
}
