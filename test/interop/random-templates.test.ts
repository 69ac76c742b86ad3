import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { TemplateError } from '../../src/templates/errors.ts'
import { Template } from '../../src/templates/template.ts'
import { RandomTemplates, VARIABLES } from './random-templates.ts'

const jinja = spawnSync('python3', ['-c', 'import jinja2; print(jinja2.__version__)'], { encoding: 'utf8' })
const version = jinja.status === 0 ? jinja.stdout.trim() : 'not installed'

const SEED = Number(process.env.LATENTKIT_TEMPLATE_SEED ?? 20_261_129)
const COUNT = Number(process.env.LATENTKIT_TEMPLATE_COUNT ?? 1000)
/** The moment that jinja_oracle.py tells. */
const NOW = new Date(2026, 6, 3, 14, 5, 9)
/** Python shows where a function lies in memory. */
const ADDRESS = /[ab]t 0x[0-9a-f]+/i

interface Answer {
  readonly text?: string
  readonly error?: string
}

function ours(template: string): Answer {
  try {
    return { text: new Template(template).render(VARIABLES, NOW).text }
  } catch (error) {
    expect(error, template).toBeInstanceOf(TemplateError)
    return { error: String(error) }
  }
}

test.skipIf(version !== '3.1.6')(
  `random templates give what jinja2 gives (3.1.6; here: ${version}), seed ${SEED}`,
  () => {
    const random = new RandomTemplates(SEED)
    const templates = Array.from({ length: COUNT }, () => random.template())
    const input = templates.map(template => JSON.stringify({ template, variables: VARIABLES })).join('\n')
    const run = spawnSync('python3', ['test/interop/jinja_oracle.py'], { input, encoding: 'utf8', maxBuffer: 1 << 28 })
    const answers = run.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Answer)
    expect(answers).toHaveLength(COUNT)
    const texts = answers.filter(({ text }) => text !== undefined)
    expect(texts.length).toBeGreaterThan(COUNT / 5)
    const differing = templates.flatMap((template, i) => {
      const { text, error } = answers[i]!
      if (text !== undefined && ADDRESS.test(text)) return []
      const given = ours(template)
      const same = error === undefined ? given.text === text : given.error !== undefined
      return same ? [] : [{ template, jinja2: answers[i], given }]
    })
    expect(differing).toEqual([])
  },
  600_000,
)
