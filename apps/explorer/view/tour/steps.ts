/** The guided tour: what each step shows, and where. The numbers in its texts come from the model or the planner. */
import {
  A_TOKEN,
  asParams,
  FLAG,
  LARGE,
  LOOK,
  MET,
  ONE_READING,
  RANK,
  RIVER,
  SAVINGS,
  STEPS_WRITTEN,
  TALE,
  UMBRELLA,
} from './places.ts'

export interface Step {
  readonly title: string
  readonly view: string
  readonly params: Readonly<Record<string, string>>
  /** Where in the view to look: a selector. */
  readonly point: string
  /** Of its text. */
  readonly name: string
}

const CELL = asParams({ text: FLAG, ...MET })

export const STEPS = [
  {
    title: 'What is a token?',
    view: 'tokens',
    params: asParams({ text: FLAG, token: A_TOKEN }),
    point: '#cut',
    name: 'token',
  },
  {
    title: 'One word, two meanings',
    view: 'tokens',
    params: { text: RIVER, text2: SAVINGS },
    point: '#parting',
    name: 'meaning',
  },
  { title: 'The next token', view: 'next', params: { text: FLAG }, point: '#expected', name: 'next' },
  {
    title: 'Attention: who looks at whom',
    view: 'patterns',
    params: asParams({ text: FLAG, ...LOOK }),
    point: 'figure:has(.matrix)',
    name: 'attention',
  },
  {
    title: 'Many heads, many readings',
    view: 'patterns',
    params: asParams({ text: UMBRELLA, ...ONE_READING }),
    point: '.thumbnails',
    name: 'heads',
  },
  { title: 'A query meets a key', view: 'number', params: CELL, point: '#softmax', name: 'score' },
  {
    title: 'Why there is a cache',
    view: 'cache',
    params: asParams({ text: TALE, steps: STEPS_WRITTEN }),
    point: '#work',
    name: 'cache',
  },
  {
    title: 'Fewer heads for keys: MQA and GQA',
    view: 'planner',
    params: asParams(LARGE),
    point: '#variants',
    name: 'groups',
  },
  { title: 'A latent in place of keys and values', view: 'number', params: CELL, point: '#kept', name: 'latent' },
  {
    title: 'What a latent keeps',
    view: 'latent',
    params: asParams({ text: FLAG, rank: RANK }),
    point: '#losses',
    name: 'rank',
  },
  { title: 'The same score without keys', view: 'number', params: CELL, point: '#product', name: 'absorption' },
  { title: 'Why RoPE must be decoupled', view: 'number', params: CELL, point: '#rope', name: 'rope' },
  { title: 'Why absorbed', view: 'number', params: CELL, point: '#costs', name: 'cost' },
  { title: '400 GB that become 7', view: 'planner', params: asParams(LARGE), point: '.hero', name: 'saved' },
] as const satisfies readonly Step[]
