/**
 * Calls that a contrary model writes, in the families' formats over their real vocabularies: any token that the mask allows,
 * then the ending that is forced. Whatever is chosen, every call is whole, of a tool, and has valid arguments.
 *
 * LATENTKIT_CALLS: sets of tools for each format over the real vocabularies. Default: one set, over the bundled model's.
 */
import { expect, it } from 'vitest'
import { chatFormat, FORMAT_NAMES, type FormatName, forcedText } from '../../src/formats/index.ts'
import type { ToolChoice, ToolDescription } from '../../src/formats/messages.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import { outputCheck } from '../../src/grammar/check.ts'
import { SchemaError } from '../../src/grammar/errors.ts'
import { forcedGrammar } from '../../src/grammar/forced-grammar.ts'
import type { Grammar } from '../../src/grammar/matcher.ts'
import { allowedIn } from '../../src/grammar/vocabulary.ts'
import { randomOf } from './random.ts'
import { generatedObjects } from './schemas.ts'
import { testLibrary, type VocabularyName } from './support.ts'

const SETS = Number(process.env.LATENTKIT_CALLS ?? 1)
const FREE = 20
const MOST = 250

/** The formats, each over a vocabulary of its family if a package has one. */
const FORMATS: readonly (readonly [VocabularyName, readonly FormatName[]])[] = [
  ['deepseek', ['deepseek-v2', 'deepseek-v3', 'deepseek-v3.1', 'deepseek-v3.2', 'kimi-k2']],
  [
    'qwen',
    ['hermes', 'qwen3-coder', 'glm-4.5', 'glm-4.7', 'youtu', 'minicpm3', 'lfm2', 'longcat', 'longcat-2601', 'glm-4'],
  ],
  ['llama', ['llama-3', 'generic', 'granite', 'phi-4', 'hunyuan', 'gpt-oss', 'gigachat3', 'gigachat3.1']],
  ['gemma', ['gemma', 'gemma-4']],
]

const CHOICES: readonly (readonly [string, ToolChoice, boolean])[] = [
  ['required', 'required', false],
  ['several', 'required', true],
  ['named', { name: 'tool_0' }, false],
  ['auto', 'auto', true],
]

const objects = generatedObjects(3 * SETS)
const sets = Array.from({ length: SETS }, (_, i): ToolDescription[] =>
  objects.slice(3 * i, 3 * i + 1 + ((i + 1) % 3)).map((parameters, j) => ({
    name: `tool_${j}`,
    parameters: parameters as Record<string, unknown>,
  })),
)

const chosen: typeof FORMATS = process.env.LATENTKIT_CALLS ? FORMATS : [['tales', FORMAT_NAMES]]

it.each(chosen)(
  'over the vocabulary of %s, in the formats %j',
  async (vocabulary, names) => {
    const { tokenizer, library, end, ids } = await testLibrary(vocabulary)
    const counts = { calls: 0, refused: 0, cut: 0 }
    const write = (grammar: Grammar, random: () => number, begun: readonly number[]): string | null => {
      const matcher = grammar.matcher()
      const ending = grammar.ending()
      const mask = new Uint32Array(library.maskWords)
      const written = [...begun]
      try {
        expect(matcher.accept(begun)).toBe(begun.length)
        while (!matcher.stopped && written.length < MOST) {
          // As where few tokens are left.
          const left = written.length < FREE + begun.length ? Number.POSITIVE_INFINITY : MOST - written.length
          const only = ending?.next(matcher, left)
          matcher.mask(mask)
          const allowed = only ?? [...allowedIn(mask)]
          const id = allowed[Math.floor(random() * allowed.length)] as number
          if (id === end) break
          if (matcher.accept([id]) !== 1) throw new Error(`the mask allows ${id}, the matcher does not`)
          written.push(id)
        }
        return matcher.accepting ? tokenizer.decode(written, { skipSpecialTokens: false }) : null
      } finally {
        matcher.dispose()
      }
    }
    for (const name of names) {
      const format = chatFormat(name)
      for (const [i, tools] of sets.entries()) {
        for (const [what, choice, parallel] of CHOICES) {
          const forced = forcedText(format, tools, { choice, parallel })
          if (forced === null) throw new Error('nothing is forced')
          let grammar: Grammar
          try {
            const split = (text: string) => tokenizer.splitAtSpecial(text)
            grammar = library.compile(forcedGrammar(forced, { split, triggered: forced.free }))
          } catch (error) {
            if (!(error instanceof SchemaError)) throw error
            counts.refused++
            continue
          }
          // Where each call has a trigger of its own: one of them.
          const begun = forced.triggers
            .slice(i % Math.max(forced.triggers.length, 1))
            .slice(0, 1)
            .flatMap(trigger =>
              tokenizer.splitAtSpecial(trigger).flatMap(part => (typeof part === 'number' ? [part] : ids(part))),
            )
          const text = write(grammar, randomOf(i + 1), begun)
          grammar.dispose()
          if (text === null) {
            counts.cut++
            continue
          }
          const { toolCalls, content } = readReply(text, { format, tools })
          const shown = `${name}, ${what}, set ${i}: ${text}`
          expect(content.trim(), shown).toBe('')
          expect(toolCalls.length, shown).toBeGreaterThan(0)
          if (!parallel) expect(toolCalls, shown).toHaveLength(1)
          for (const call of toolCalls) {
            const tool = tools.find(one => one.name === call.name)
            expect(tool && call.complete, shown).toBe(true)
            if (typeof choice === 'object') expect(call.name, shown).toBe(choice.name)
            ;(await outputCheck(tool?.parameters))(call.json)
            counts.calls++
          }
        }
      }
    }
    if (process.env.LATENTKIT_CALLS) console.log(vocabulary, counts)
    expect(counts.calls).toBeGreaterThan(0)
    expect(counts.cut).toBeLessThanOrEqual(0.1 * (counts.calls + counts.cut))
  },
  3_600_000,
)
