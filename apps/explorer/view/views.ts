/** The views by their name in the address, in the order of the tour. */
import type { ComponentType } from 'preact'
import { CacheView } from './cache/cache-view.tsx'
import { CellView } from './cell/cell-view.tsx'
import { Chat } from './chat/chat.tsx'
import { Latent } from './latent/latent.tsx'
import { NextToken } from './next/next-token.tsx'
import { Patterns } from './patterns/patterns.tsx'
import { Planner } from './planner/planner.tsx'
import { Tokens } from './tokens/tokens.tsx'

interface View {
  readonly name: string
  readonly title: string
  /** What one sees there. */
  readonly about: string
  readonly Body: ComponentType
}

export const VIEWS: readonly View[] = [
  {
    name: 'tokens',
    title: 'Tokens',
    about:
      'How a text is cut, what numbers and bytes its pieces are, which are alike, and how one word gets two meanings.',
    Body: Tokens,
  },
  {
    name: 'patterns',
    title: 'Patterns',
    about:
      'What every head of every layer looks at, in all words of a text: find heads by what they do, and look closely.',
    Body: Patterns,
  },
  {
    name: 'number',
    title: 'One number',
    about:
      'A query meets a key: worked from the latent to the share, expanded and absorbed side by side, with the difference.',
    Body: CellView,
  },
  {
    name: 'cache',
    title: 'The cache growing',
    about:
      'A text as it is written, with a cache and without: what is computed, what is kept, and what a window drops.',
    Body: CacheView,
  },
  {
    name: 'latent',
    title: 'What a latent keeps',
    about: 'Cut what is cached to fewer directions: what is lost in each layer, and what the model would write then.',
    Body: Latent,
  },
  {
    name: 'next',
    title: 'The next token',
    about:
      'Temperature, top-k and top-p as they act, what each layer would say, and what a head is for: switch it off.',
    Body: NextToken,
  },
  {
    name: 'planner',
    title: 'The planner',
    about: 'What a cache costs with every kind of attention, and which cards hold it: 400 GB that become 7.',
    Body: Planner,
  },
  {
    name: 'chat',
    title: 'Chat',
    about: 'Let the model write, watch it draw token by token, and look into any of its answers.',
    Body: Chat,
  },
]
