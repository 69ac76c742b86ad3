import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { resolveOptions, type SamplingOptions } from '../../src/sampling/options.ts'

test('defaults change nothing', () => {
  expect(resolveOptions({})).toEqual({
    temperature: 1,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    biasIds: [],
    biases: [],
    topNSigma: 0,
    typicalP: 1,
    xtc: null,
    dynamicTemperature: null,
    temperatureLast: false,
    mirostat: null,
  })
})

describe('the edges are allowed', () => {
  test.each<SamplingOptions>([
    { temperature: 0 },
    { temperature: 100 },
    { topK: 0 },
    { topK: 1e9 },
    { topP: 0 },
    { topP: 1 },
    { minP: 0 },
    { minP: 1 },
    { repetitionPenalty: 0.01 },
    { presencePenalty: -2, frequencyPenalty: 2 },
    { logitBias: { 5: -100, 7: 100, 9: Number.NEGATIVE_INFINITY } },
    { seed: -3 },
    { seed: 2n ** 63n },
  ])('%o', options => {
    expect(() => resolveOptions(options)).not.toThrow()
  })
})

describe('beyond them the option, what was met and what was expected are named', () => {
  test.each<[SamplingOptions, string]>([
    [{ temperature: -1 }, 'temperature is -1; expected a finite number of at least 0'],
    [{ temperature: Number.NaN }, 'temperature is NaN; expected a finite number of at least 0'],
    [{ temperature: Number.POSITIVE_INFINITY }, 'temperature is Infinity; expected a finite number of at least 0'],
    [{ temperature: '1' as never }, 'temperature is "1"; expected a finite number of at least 0'],
    [{ topK: -1 }, 'topK is -1; expected a whole number, 0 or more'],
    [{ topK: 2.5 }, 'topK is 2.5; expected a whole number, 0 or more'],
    [{ topP: 1.1 }, 'topP is 1.1; expected a number from 0 to 1'],
    [{ minP: -0.1 }, 'minP is -0.1; expected a number from 0 to 1'],
    [{ repetitionPenalty: 0 }, 'repetitionPenalty is 0; expected a finite number above 0'],
    [{ presencePenalty: 3 }, 'presencePenalty is 3; expected a number from -2 to 2'],
    [{ frequencyPenalty: null as never }, 'frequencyPenalty is null; expected a number from -2 to 2'],
    [{ logitBias: { [-1]: 1 } }, 'logitBias has the key "-1"; expected a token id'],
    [{ logitBias: { the: 1 } as never }, 'logitBias has the key "the"; expected a token id'],
    [{ logitBias: new Map([[3, 1]]) as never }, 'logitBias is a Map; expected an object of token ids and numbers'],
    [{ dry: new Map() as never }, 'dry is a Map; expected an object'],
    [{ xtc: { threshold: 0.2 } as never }, 'xtc.probability is missing; expected a number from 0 to 1'],
    [{ logitBias: { 3: 101 } }, 'logitBias[3] is 101; expected -100 to 100, or -Infinity'],
    [{ logitBias: { 3: Number.NaN } }, 'logitBias[3] is NaN; expected -100 to 100, or -Infinity'],
    [{ seed: 0.5 }, 'seed is 0.5; expected an integer (a bigint beyond 2^53)'],
  ])('%o', (options, message) => {
    expect(() => resolveOptions(options)).toThrow(new OptionError(message))
  })
})
