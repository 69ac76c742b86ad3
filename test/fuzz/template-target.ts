/** Chat templates with the structures that attacks are made of: texts and lists that double, work that repeats, pieces cut anywhere. */
import { Template } from '../../src/templates/template.ts'
import { TEMPLATE_BOUNDS } from '../../src/templates/work.ts'
import { RandomTemplates, VARIABLES } from '../interop/random-templates.ts'
import type { Rng } from '../support/rng.ts'
import type { FuzzTarget } from './fuzzer.ts'
import { mutate, pick } from './mutate.ts'

const encode = (text: string) => new TextEncoder().encode(text)

/** A twentieth of the real bounds: an input takes a tenth of a second at most. */
const SMALL = { ...TEMPLATE_BOUNDS, steps: TEMPLATE_BOUNDS.steps / 20, characters: 1 << 19 }
/** No core is so busy that the small bounds take this long. */
const MAX_MILLISECONDS = 8000

const double = (start: string) =>
  `{% set ns = namespace(x=${start}) %}{% for i in range(14) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{% set x = ns.x %}`
const STARTS = ['"aaaaaaaa"', '"a b-{<%é"', '[1, "a"]', '("x",)', '7', '"😀"']
const again = (body: string) => `{% for i in range(9999) %}${body}{% endfor %}`

function hostile(rng: Rng): string {
  const random = new RandomTemplates(1 + rng.below(1 << 30))
  const body = Array.from({ length: 1 + rng.below(3) }, () => random.template()).join('')
  const repeated = rng.uniform() < 0.5 ? again(body) : body
  return rng.uniform() < 0.5 ? double(pick(rng, STARTS)) + repeated : repeated
}

export const TEMPLATE_TARGET: FuzzTarget = {
  name: 'template',
  seeds: [
    ...STARTS.map(start => encode(double(start) + again('{{ x | sort }}{{ x in [x] }}'))),
    encode("{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}{{ '%s' % x }}"),
    encode('{% macro f(x) %}{{ f([x, x]) }}{% endmacro %}{{ f(1) }}'),
  ],
  mutate: (rng, pool) => (rng.uniform() < 0.6 ? encode(hostile(rng)) : mutate(rng, pool)),
  async run(input) {
    const started = performance.now()
    try {
      new Template(new TextDecoder().decode(input)).render(VARIABLES, new Date(0), SMALL)
    } finally {
      const took = performance.now() - started
      // biome-ignore lint/correctness/noUnsafeFinally: a run that takes too long is what this looks for
      if (took > MAX_MILLISECONDS) throw new Error(`a template took ${Math.round(took)} ms`)
    }
  },
}
