/** The views by their name in the address, in the order of the tour. */
import type { ComponentType } from 'preact'
import { Patterns } from './patterns/patterns.tsx'
import { Planner } from './planner/planner.tsx'

interface View {
  readonly name: string
  readonly title: string
  /** What one sees there. */
  readonly about: string
  readonly Body: ComponentType
}

export const VIEWS: readonly View[] = [
  {
    name: 'patterns',
    title: 'Patterns',
    about:
      'What every head of every layer looks at, in all words of a text: find heads by what they do, and look closely.',
    Body: Patterns,
  },
  {
    name: 'planner',
    title: 'The planner',
    about: 'What a cache costs with every kind of attention, and which cards hold it: 400 GB that become 7.',
    Body: Planner,
  },
]
