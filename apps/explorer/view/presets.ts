/** Texts to begin with, from the articles, and in which model and head each shows what it should. */
export interface Place {
  readonly layer: number
  readonly head: number
  /** The token that looks. */
  readonly query: number
}

interface Shown {
  /** What to look for; `HEAD` stands for the head's name. */
  readonly look: string
  /** A head in which it shows. */
  readonly at: Place
  /** The token that gets most there. */
  readonly key: number
}

export interface Preset {
  readonly text: string
  /** By the beginning of a model's name. */
  readonly shown: Readonly<Record<string, Shown>>
}

export const BUNDLED_NAME = 'tales-mla-8m'
/** As its GGUF files are named. */
const SMOL = 'SmolLM2-135M-Instruct'

export const PRESETS: readonly Preset[] = [
  {
    text: 'The American flag is red white and',
    shown: {
      [BUNDLED_NAME]: {
        look: `What comes next? Head HEAD sends “and” back to “white” and “red” with nearly all of its attention: a list of colours wants another colour. This model has read fairy tales only; ${SMOL} says “blue”.`,
        at: { layer: 5, head: 1, query: 11 },
        key: 10,
      },
      [SMOL]: {
        look: 'What comes next? This model is nearly sure that it is “blue” (see The next token). In head HEAD “and” looks back at “red”, where the list began.',
        at: { layer: 25, head: 2, query: 6 },
        key: 4,
      },
    },
  },
  {
    text: 'She hit the man with the umbrella',
    shown: {
      [BUNDLED_NAME]: {
        look: 'Who has the umbrella? Head HEAD ties its first piece to “with”, head 3.3 to “man”. A head can see only one reading; that is why a layer has several.',
        at: { layer: 2, head: 4, query: 7 },
        key: 5,
      },
      [SMOL]: {
        look: 'Who has the umbrella? Head HEAD ties “umbrella” to “with”, head 28.7 to “man”. A head can see only one reading; that is why a layer has several.',
        at: { layer: 10, head: 1, query: 6 },
        key: 4,
      },
    },
  },
  {
    text: 'He sat on the river bank. He put money in the savings bank.',
    shown: {
      [BUNDLED_NAME]: {
        look: 'One word, two meanings. In head HEAD the first “bank” looks at “river”, the second at “savings”.',
        at: { layer: 2, head: 5, query: 16 },
        key: 15,
      },
      [SMOL]: {
        look: 'One word, two meanings. In head HEAD “savings” looks back at “money”, so that the second “bank” finds there which one it is.',
        at: { layer: 9, head: 4, query: 12 },
        key: 9,
      },
    },
  },
  {
    text: 'The cat sat on the',
    shown: {
      [BUNDLED_NAME]: {
        look: 'What do cats sit on? In head HEAD the last “the” looks at “cat”, which followed the first “The”, and at nothing else: it repeats what followed before (induction).',
        at: { layer: 2, head: 6, query: 5 },
        key: 2,
      },
      [SMOL]: {
        look: 'What do cats sit on? In head HEAD “the” looks back at “cat”, of whom the sentence tells.',
        at: { layer: 13, head: 8, query: 4 },
        key: 1,
      },
    },
  },
  {
    text: 'Make a travel plan for Spain.',
    shown: {
      [BUNDLED_NAME]: {
        look: `An instruction. The bundled model has read fairy tales only: head HEAD sends “for” to “plan”, but no plan follows. Open ${SMOL} and ask it in the chat: its plan grows token by token.`,
        at: { layer: 4, head: 2, query: 6 },
        key: 5,
      },
      [SMOL]: {
        look: 'An instruction. Ask it in the chat to see a plan grow token by token. In head HEAD “Spain” looks back at “plan”.',
        at: { layer: 27, head: 8, query: 5 },
        key: 3,
      },
    },
  },
  {
    text: 'Once upon a time there was a king who had a daughter, and the king loved the',
    shown: {
      [BUNDLED_NAME]: {
        look: 'What the bundled model has read: fairy tales. In head HEAD the last “the” looks at “king”, which followed “the” before: it repeats (induction).',
        at: { layer: 7, head: 2, query: 18 },
        key: 16,
      },
      [SMOL]: {
        look: 'A fairy tale. In head HEAD the second “king” looks at “who”, which followed the first: induction.',
        at: { layer: 17, head: 4, query: 15 },
        key: 8,
      },
    },
  },
]

export const FIRST_TEXT = PRESETS[0]!.text

/** What a text is there for in a model; undefined for texts and models of the user. */
export function shownIn(text: string, model: string | undefined): Shown | undefined {
  const preset = PRESETS.find(one => one.text === text)
  const named = ([name]: [string, Shown]) => model?.toLowerCase().startsWith(name.toLowerCase())
  const shown = Object.entries(preset?.shown ?? {}).find(named)?.[1]
  return shown && { ...shown, look: shown.look.replace('HEAD', `${shown.at.layer}.${shown.at.head}`) }
}

/** Of the form of the first text, about something else. */
export const PATCH_TEXT = 'The little dog was big fat and'

/** A text to put beside one. */
export function otherThan(text: string): string {
  const at = PRESETS.findIndex(one => one.text === text)
  return PRESETS[(at + 1) % PRESETS.length]!.text
}
