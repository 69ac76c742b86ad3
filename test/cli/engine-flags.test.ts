/** Flags of the engine's options take what the engine takes, and say so. */
import { describe, expect, it } from 'vitest'
import { FLAG_NAMES } from '../../apps/cli/options/engine-flags.ts'
import { ofKind } from '../../apps/cli/options/parsers.ts'
import { SETTINGS, settingParser } from '../../apps/cli/options/sampling.ts'
import { BEAM_OPTIONS, expectation, LOAD_OPTIONS, type OptionRow, PROMPT_OPTIONS } from '../../src/for-apps.ts'
import { resolveOptions } from '../../src/sampling/options.ts'
import { latentkit } from './run.ts'

const ROWS = Object.entries<OptionRow>({ ...LOAD_OPTIONS, ...PROMPT_OPTIONS, ...BEAM_OPTIONS })
const NUMBERS = ROWS.flatMap(([name, { flag = '', kind }]) =>
  flag !== '' && (kind.kind === 'number' || kind.kind === 'whole')
    ? [{ name, flag: flag.split(' ')[0] ?? '', kind }]
    : [],
)

/** Just beyond the ends of a range, where a number can be. */
function beyond({ min, max }: { readonly min: number; readonly max: number }): number[] {
  return [min - 1, max + 1].filter(value => Math.abs(value) < 2 ** 31)
}

it('every option that has a flag is in the help of generate under that flag', async () => {
  const { stdout } = await latentkit(['generate', '--help'])
  for (const [, { flag }] of ROWS) if (flag) expect(stdout).toContain(flag)
})

describe('a value beyond the range is refused by the flag, in the words of the engine', () => {
  const cases = NUMBERS.flatMap(({ flag, kind }) => beyond(kind).map(value => ({ flag, kind, value })))
  expect(cases.length).toBeGreaterThan(10)
  // Tokens and bytes are said with their units.
  const own = /--(max-tokens|context|chunk|cache-bytes|cache-dir-bytes)/
  it.each(cases)('$flag $value', async ({ flag, kind, value }) => {
    const { code, stderr } = await latentkit(['generate', 'x', flag, String(value)])
    expect(stderr).toContain(`'${flag} <`)
    expect(stderr).toContain(`argument '${value}' is invalid. Expected `)
    if (!own.test(flag)) expect(stderr).toContain(`Expected ${expectation(kind)} (see`)
    expect(code).toBe(2)
  })
})

it('the ends of a range are taken, by the flag and by the sampler', () => {
  for (const name of SETTINGS) {
    const { kind } = PROMPT_OPTIONS[name]
    if (kind.kind !== 'number' && kind.kind !== 'whole') throw new Error(`${name} is no number`)
    for (const end of [kind.min, kind.max].filter(value => Math.abs(value) < 2 ** 31)) {
      const above = kind.kind === 'number' && kind.above
      if (above && end === kind.min) expect(() => settingParser(name)(String(end))).toThrow('above')
      else expect(settingParser(name)(String(end))).toBe(end)
      if (!above && name !== 'maxTokens') expect(() => resolveOptions({ [name]: end })).not.toThrow()
    }
  }
})

it.each(['', ' ', 'hot', '1,5', '--', 'NaN', 'Infinity', '1 2'])('%j is no number of any kind', text => {
  for (const { kind } of NUMBERS) expect(() => ofKind(kind)(text)).toThrow(`Expected ${expectation(kind)}.`)
})

it('names of options become flags', () => {
  expect(FLAG_NAMES).toMatchObject({
    presencePenalty: '--presence-penalty',
    contextLength: '--context',
    stopSequences: '--stop',
    'beams.width': '--beams',
    'beams.lengthPenalty': '--length-penalty',
  })
})
