/** Texts to begin with, from the articles, and in which model and head each shows what it should. */
export interface Place {
  readonly layer: number
  readonly head: number
  readonly query: number
}

interface Shown {
  /** What to look for. */
  readonly look: string
  /** A head in which it shows, and the token that looks. */
  readonly at: Place
}

export interface Preset {
  readonly text: string
  /** By the beginning of a model's name. */
  readonly shown: Readonly<Record<string, Shown>>
}

export const BUNDLED_NAME = 'tales-mla-8m'

export const PRESETS: readonly Preset[] = [
  {
    text: 'The American flag is red white and',
    shown: {
      [BUNDLED_NAME]: {
        look: 'What comes next? Head 4.2 sends “and” back to “red” and “white” with nearly all of its attention: a list of colours wants another colour.',
        at: { layer: 4, head: 2, query: 11 },
      },
    },
  },
  {
    text: 'She hit the man with the umbrella',
    shown: {
      [BUNDLED_NAME]: {
        look: 'Who has the umbrella? Head 5.4 ties it to “with”, others to “man”. A head can see only one reading; that is why a layer has several.',
        at: { layer: 5, head: 4, query: 7 },
      },
    },
  },
  {
    text: 'He sat on the river bank. He put money in the savings bank.',
    shown: {
      [BUNDLED_NAME]: {
        look: 'One word, two meanings. In head 4.0 the first “bank” looks at “river”, the second at “savings”.',
        at: { layer: 4, head: 0, query: 16 },
      },
    },
  },
  {
    text: 'The cat sat on the',
    shown: {
      [BUNDLED_NAME]: {
        look: 'What do cats sit on? In head 1.2 the last “the” looks at “cat” and “sat” and at little else.',
        at: { layer: 1, head: 2, query: 5 },
      },
    },
  },
  {
    text: 'Make a travel plan for Spain.',
    shown: {
      [BUNDLED_NAME]: {
        look: 'An instruction. The bundled model has read fairy tales only: its patterns are there, a plan is not.',
        at: { layer: 4, head: 1, query: 6 },
      },
    },
  },
  {
    text: 'Once upon a time there was a king who had a daughter, and the king loved the',
    shown: {
      [BUNDLED_NAME]: {
        look: 'What the bundled model knows. Sort by “induction”: some heads look at what followed the same word earlier.',
        at: { layer: 7, head: 4, query: 18 },
      },
    },
  },
]

export const FIRST_TEXT = PRESETS[0]!.text

/** What a text is there for in a model; undefined for texts and models of the user. */
export function shownIn(text: string, model: string | undefined): Shown | undefined {
  const preset = PRESETS.find(one => one.text === text)
  return Object.entries(preset?.shown ?? {}).find(([name]) => model?.startsWith(name))?.[1]
}

/** A text to put beside one. */
export function otherThan(text: string): string {
  const at = PRESETS.findIndex(one => one.text === text)
  return PRESETS[(at + 1) % PRESETS.length]!.text
}
