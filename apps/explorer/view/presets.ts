/** Texts to begin with, from the articles, and what to look for in each. */
export interface Preset {
  readonly text: string
  readonly look: string
  /** In the bundled model: a head in which it shows, and the token that looks. */
  readonly at: { readonly layer: number; readonly head: number; readonly query: number }
}

export const PRESETS: readonly Preset[] = [
  {
    text: 'The American flag is red white and',
    look: 'What comes next? Head 4.2 sends “and” back to “red” and “white” with 97 % of its attention: a list of colours wants another colour.',
    at: { layer: 4, head: 2, query: 11 },
  },
  {
    text: 'She hit the man with the umbrella',
    look: 'Who has the umbrella? Head 5.4 ties it to “with”, others to “man”. A head can see only one reading; that is why a layer has several.',
    at: { layer: 5, head: 4, query: 7 },
  },
  {
    text: 'He sat on the river bank. He put money in the savings bank.',
    look: 'One word, two meanings. In head 4.0 the first “bank” looks at “river”, the second at “savings”.',
    at: { layer: 4, head: 0, query: 16 },
  },
  {
    text: 'The cat sat on the',
    look: 'What do cats sit on? In head 1.2 the last “the” looks at “cat” and “sat” and at little else.',
    at: { layer: 1, head: 2, query: 5 },
  },
  {
    text: 'Make a travel plan for Spain.',
    look: 'An instruction. The bundled model has read fairy tales only: its patterns are there, a plan is not.',
    at: { layer: 4, head: 1, query: 6 },
  },
  {
    text: 'Once upon a time there was a king who had a daughter, and the king loved the',
    look: 'What the bundled model knows. Sort by “induction”: some heads look at what followed the same word earlier.',
    at: { layer: 7, head: 4, query: 18 },
  },
]

/** The model in which `at` shows it. */
export const BUNDLED_NAME = 'tales-mla-8m'
