// Writes what both languages need to know of operations from the one place that states them, src/kernels/operations: the
// recorder of the core in TypeScript, and the headers of native/ by which C++ reads records. The results are committed; a
// test compares them.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const room = path.join(root, 'src', 'kernels', 'operations')
const NOTE = '// Written by `npm run build:records` from src/kernels/operations. Do not edit.'

async function load(file) {
  const options = { bundle: true, format: 'esm', write: false, logLevel: 'error' }
  const { outputFiles } = await build({ entryPoints: [path.join(room, file)], ...options })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
}

const capital = name => name[0].toUpperCase() + name.slice(1)
const recordOf = name => `${capital(name)}Record`
const lines = (list, indent) => list.map(line => `${' '.repeat(indent)}${line}`).join('\n')

// ---- C++ -------------------------------------------------------------------------------------------------------------

const ELEMENTS = { f32: 'float', f64: 'double', i32: 'int32_t', u8: 'u8', u64: 'uint64_t' }

function pointer(name, dtype, written) {
  const element = `${written ? '' : 'const '}${ELEMENTS[dtype]}`
  return { type: `${element}*`, name, read: `args.pointer<${element}>()` }
}

const count = name => ({ type: 'i64', name, read: 'args.count()' })

/** The members of a struct that a field becomes. */
function members(name, { kind, dtype, written, axes }) {
  switch (kind) {
    case 'tensor':
      return [pointer(name, dtype, written), ...axes.map(axis => count(name + axis))]
    case 'address':
      return [pointer(name, dtype, written)]
    case 'count':
      return [count(name)]
    case 'strided':
    case 'extent':
      return [{ type: capital(kind), name, read: 'args' }]
    case 'real':
      return [{ type: 'float', name, read: 'args.real()' }]
    case 'real64':
      return [{ type: 'double', name, read: 'args.real64()' }]
    case 'flag':
    case 'exact':
    case 'mustQuantise':
      return [{ type: 'bool', name, read: 'args.flag()' }]
    case 'dtype':
      return [{ type: 'Dtype', name, read: 'args.dtype()' }]
    case 'activation':
      return [{ type: 'Activation', name, read: 'args.activation()' }]
    case 'slices':
      return [count(`${name}Count`), { type: 'SliceRecord', name: `${name}[MAX_SLICES]`, many: name }]
    default:
      return [{ type: recordOf(kind), name, read: 'args' }]
  }
}

/** The kinds of fields of structs, as fields. */
function fieldOf(kind) {
  if (kind === 'address') return { type: 'const char*', read: 'args.pointer<const char>()' }
  const [dtype, address] = kind.split(' ')
  return address ? pointer('', dtype, false) : members('', { kind })[0]
}

/** `isPart`: records hold it, some of them in an array. */
function struct(name, parts, isPart = false) {
  const fields = parts.map(({ type, name }) => `${type} ${name};`)
  const reads = parts.filter(part => part.read).map(({ name, read }) => `${name}(${read})`)
  const loops = parts
    .filter(part => part.many)
    .map(({ type, many }) => `    for (i64 i = 0; i < ${many}Count; i++) ${many}[i] = ${type}(args);`)
  const body = loops.length > 0 ? `{\n${loops.join('\n')}\n  }` : '{}'
  return [
    `struct ${name} {`,
    lines(fields, 2),
    ...(isPart ? [`  INLINE ${name}() {}`] : []),
    `  INLINE explicit ${name}(Args& args)`,
    `      : ${reads.join(',\n        ')} ${body}`,
    '};',
  ].join('\n')
}

function header(about, includes, body) {
  const included = includes.map(file => `#include "${file}"\n`).join('')
  return `// ${about}\n${NOTE}\n#pragma once\n${included}\nnamespace latentkit {\n\n${body}\n\n}  // namespace latentkit\n`
}

const macro = (name, entries) => [`#define ${name}`, ...entries.map(entry => `  ${entry}`)].join(' \\\n')

function typesHeader({ TYPE_CODES, SCALED_TYPES, ACTIVATION_CODES }, PACKED_TYPES) {
  const cases = types => types.map((type, i) => `case ${type.toUpperCase()}${i < types.length - 1 ? ':' : ''}`)
  const values = codes => Object.entries(codes).map(([name, code]) => `  ${name.toUpperCase()} = ${code},`)
  return header(
    'The types of tensors and weights, and the activations, by their numbers in records.',
    [],
    [
      'enum Dtype : int {',
      ...values(TYPE_CODES),
      '};',
      '',
      '// Quantised matrices, packed as ops/quant/formats.h says.',
      macro(
        'LATENTKIT_PACKED_TYPES(TYPE)',
        PACKED_TYPES.map(type => `TYPE(${type.toUpperCase()})`),
      ),
      '',
      macro('LATENTKIT_PACKED_CASES', cases(PACKED_TYPES)),
      '',
      '// Cached vectors of codes with scales behind them (ops/cache/scaled-vectors.h).',
      macro('LATENTKIT_SCALED_CASES', cases(SCALED_TYPES)),
      '',
      'enum Activation : int {',
      ...values(ACTIVATION_CODES),
      '};',
    ].join('\n'),
  )
}

/** halvesAndMins: HALVES_AND_MINS. */
const constant = name => name.replace(/[A-Z]/g, '_$&').toUpperCase()

function packedHeader(formats) {
  const entries = Object.entries(formats).map(([type, { low, high, group, offset, scales, table }]) => {
    const parts = [low, high, group, offset, constant(scales), table ? `${constant(table)}_TABLE` : 'NO_TABLE']
    return `FORMAT(${[type.toUpperCase(), ...parts].join(', ')})`
  })
  const about =
    '// How each packed type lies in memory: the arguments of its Format (formats.h), which src/quant/packed.ts states.'
  return `${about}\n${NOTE}\n#pragma once\n\n${macro('LATENTKIT_PACKED_FORMATS(FORMAT)', entries)}\n`
}

function opcodesHeader({ OPERATION_NAMES }) {
  const entries = OPERATION_NAMES.map(name => `OP(${name}, ${recordOf(name)})`)
  return header(
    'Every operation and its record, in the order of the opcodes.',
    ['records.h'],
    [
      macro('LATENTKIT_OPERATIONS(OP)', entries),
      '',
      'enum Opcode : int {',
      '#define LATENTKIT_CODE(name, record) OP_##name,',
      '  LATENTKIT_OPERATIONS(LATENTKIT_CODE)',
      '#undef LATENTKIT_CODE',
      '      OPCODES',
      '};',
    ].join('\n'),
  )
}

function trainingHeader({ TRAINING_NAMES }) {
  const codes = TRAINING_NAMES.map(name => `    OP_${name},`)
  return header(
    'Which operations only training records.',
    ['opcodes.h'],
    [
      'constexpr int TRAINING_OPERATIONS[] = {',
      ...codes,
      '};',
      '',
      'constexpr bool isForTraining(int code) {',
      '  for (int one : TRAINING_OPERATIONS) {',
      '    if (one == code) return true;',
      '  }',
      '  return false;',
      '}',
    ].join('\n'),
  )
}

function recordsHeader(operations, { STRUCTS, MAX_SLICES }) {
  const structs = Object.entries(STRUCTS).map(([name, fields]) =>
    struct(
      recordOf(name),
      Object.entries(fields).map(([name, kind]) => ({ ...fieldOf(kind), name })),
      true,
    ),
  )
  const records = Object.entries(operations).map(([name, { record }]) =>
    struct(
      recordOf(name),
      Object.entries(record).flatMap(([field, kind]) => members(field, kind)),
    ),
  )
  return header(
    'The records of the operations, by name.',
    ['args.h'],
    [`constexpr int MAX_SLICES = ${MAX_SLICES};`, ...structs, ...records].join('\n\n'),
  )
}

function kernelsHeader(operations) {
  const files = [...new Set(Object.values(operations).map(({ kernel }) => kernel))].sort()
  return `// All kernels.\n${NOTE}\n#pragma once\n${files.map(file => `#include "${file}"\n`).join('')}`
}

// ---- TypeScript ------------------------------------------------------------------------------------------------------

/** The numbers of a struct that `value` holds. */
function structNumbers(fields, value) {
  return Object.entries(fields).map(([field, kind]) => {
    if (kind === 'flag') return `${value}.${field} ? 1 : 0`
    return kind === 'dtype' ? `TYPE_CODES[${value}.${field}]` : `${value}.${field}`
  })
}

/** The numbers of a field: expressions, or, where a function writes several of them, `{ call, count }`. */
function numbers(name, field, STRUCTS) {
  const { kind, axes, optional } = field
  const value = `r.${name}`
  switch (kind) {
    case 'tensor':
      return optional
        ? [`addressOf(${value})`, ...axes.map((_, i) => `strideOf(${value}, ${i})`)]
        : [`${value}.address`, ...axes.map((_, i) => `${value}.strides[${i}] as number`)]
    case 'strided':
    case 'extent':
      return [{ call: at => `put${capital(kind)}(data, ${at}, ${value})`, count: 4 }]
    case 'flag':
      return [`${value} ? 1 : 0`]
    case 'exact':
      return [`this.exact || ${value} ? 1 : 0`]
    case 'mustQuantise':
      return [`list.mustQuantise(w.packed ? ${value} : null)`]
    case 'dtype':
      return [`TYPE_CODES[${value}]`]
    case 'activation':
      return [`ACTIVATION_CODES[${value}]`]
    case 'weight':
    case 'experts':
      return structNumbers(STRUCTS[kind], 'w')
    case 'sequences':
      return [
        {
          call: at => `putSequences(data, ${at}, ${value}, this.memory)`,
          count: Object.keys(STRUCTS.sequences).length,
        },
      ]
    case 'slice':
      return [{ call: at => `putSlice(data, ${at}, ${value})`, count: Object.keys(STRUCTS.slice).length }]
    case 'slices':
      return ['keys.length', { call: at => `putSlices(data, ${at}, keys)`, count: 0 }]
    default:
      return [value]
  }
}

const offset = (base, n) => (n === 0 ? base : `${base} + ${n}`)

function method(name, code, { record }, table, STRUCTS) {
  const fields = Object.entries(record)
  const owned = fields.find(([, { kind }]) => kind === 'weight' || kind === 'experts')
  const slices = fields.find(([, { kind }]) => kind === 'slices')
  const product = 'mustQuantise' in record
  const writes = []
  let count = 0
  for (const number of fields.flatMap(([field, kind]) => numbers(field, kind, STRUCTS))) {
    const at = offset('at', count)
    writes.push(number.call ? number.call(at) : `data[${at}] = ${number}`)
    count += number.count ?? 1
  }
  const size = slices ? `${count} + ${Object.keys(STRUCTS.slice).length} * keys.length` : count
  return lines(
    [
      `${name}(...args: Parameters<typeof ${table}.${name}.from>): void {`,
      ...[
        'const { list } = this',
        `const r = ${table}.${name}.from(...args)`,
        ...(owned ? [`const w = own${capital(owned[1].kind)}(this.memory, r.${owned[0]}, '${name}')`] : []),
        ...(slices ? [`const keys = joinNeighbours(r.${slices[0]})`] : []),
        `const at = list.begin${product ? 'Product' : ''}(${code}, ${size}, r.work)`,
        'const { data } = list',
        ...writes,
        ...(product ? ['list.endProduct(r.y)'] : []),
      ].map(line => `  ${line}`),
      '}',
    ],
    2,
  )
}

function recorder({ OPERATIONS, PREPARATIONS, OPERATION_NAMES }, { STRUCTS }) {
  const code = name => OPERATION_NAMES.indexOf(name)
  const methods = Object.entries({ OPERATIONS, PREPARATIONS }).flatMap(([table, operations]) =>
    Object.entries(operations).map(([name, operation]) => method(name, code(name), operation, table, STRUCTS)),
  )
  const stores = fields => structNumbers(fields, 's').map((number, i) => `data[${offset('at', i)}] = ${number}`)
  const slice = stores(STRUCTS.slice)
  return `${NOTE}
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import { ACTIVATION_CODES, TYPE_CODES } from '../operations/codes.ts'
import { OPERATIONS, PREPARATIONS } from '../operations/table.ts'
import { addressOf, CommandList, putExtent, putStrided, strideOf } from './command-list.ts'
import type { CoreMemory } from './memory.ts'
import { coreSequences, coreSlice, joinNeighbours } from './slices.ts'
import { ownExperts, ownWeight } from './weight.ts'

/** Checks operations and appends their records to a list. */
export class Recorder {
  readonly memory: CoreMemory
  /** Quantised weights are computed as f32. */
  readonly exact: boolean
  protected readonly list = new CommandList()

  constructor(memory: CoreMemory, exact: boolean) {
    this.memory = memory
    this.exact = exact
  }

  /** Runs what was recorded. */
  run(): void {
    this.memory.run(this.list)
  }

${methods.join('\n\n')}
}

function putSlice(data: Float64Array, at: number, slice: RowSlice): void {
  const s = coreSlice(slice)
${lines(slice, 2)}
}

function putSequences(data: Float64Array, at: number, sequences: Sequences, memory: CoreMemory): void {
  const s = coreSequences(sequences, memory)
${lines(stores(STRUCTS.sequences), 2)}
}

function putSlices(data: Float64Array, at: number, slices: readonly RowSlice[]): void {
  for (const [i, slice] of slices.entries()) putSlice(data, at + ${slice.length} * i, slice)
}
`
}

/** TypeScript as this project's formatter writes it. */
function formatted(file, text) {
  const biome = path.join(root, 'node_modules', '.bin', 'biome')
  const { stdout, status, stderr } = spawnSync(biome, ['format', `--stdin-file-path=${file}`], {
    input: text,
    encoding: 'utf8',
    cwd: root,
  })
  if (status !== 0) throw new Error(`biome cannot format ${file}: ${stderr}`)
  return stdout
}

/** Every file that is written, by its path from the root of the project. */
export async function recordFiles() {
  const table = await load('table.ts')
  const fields = await load('fields.ts')
  const { PACKED_TYPES, PACKED_FORMATS } = await load('../../quant/packed.ts')
  const operations = { ...table.OPERATIONS, ...table.PREPARATIONS }
  const home = 'src/kernels/core/recorder.ts'
  const headers = {
    'native/core/types.h': typesHeader(await load('codes.ts'), PACKED_TYPES),
    'native/core/records.h': recordsHeader(operations, fields),
    'native/core/opcodes.h': opcodesHeader(table),
    'native/ops/kernels.h': kernelsHeader(operations),
  }
  const hash = createHash('sha256').update(JSON.stringify(headers)).digest('hex').slice(0, 16)
  return {
    [home]: formatted(home, recorder(table, fields)),
    ...headers,
    'native/core/training.h': trainingHeader(table),
    'native/ops/quant/packed-types.h': packedHeader(PACKED_FORMATS),
    'native/core/records-hash.h': `// What the records look like, as a number: an addon of other records is refused.\n${NOTE}\n#pragma once\n\n#define LATENTKIT_RECORDS "${hash}"\n`,
    'src/kernels/core/records-hash.ts': `${NOTE}\n/** What the records look like, as a number: an addon of other records is refused. */\nexport const RECORDS = '${hash}'\n`,
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [file, text] of Object.entries(await recordFiles())) {
    const target = path.join(root, file)
    // A file that is newer than an addon has the addon built anew.
    if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text)
  }
}
