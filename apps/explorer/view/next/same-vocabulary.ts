type Tokens = { readonly tokens: readonly { readonly id: number; readonly text: string }[] }

/** False where tokens of the texts show that ids mean something else: vocabularies of one size may be different ones. */
export function sameVocabulary(first: Tokens, second: Tokens): boolean {
  const texts = new Map(first.tokens.map(({ id, text }) => [id, text]))
  if (second.tokens.some(({ id, text }) => (texts.get(id) ?? text) !== text)) return false
  const whole = ({ tokens }: Tokens) => tokens.map(({ text }) => text).join('')
  return whole(first) !== whole(second) || first.tokens.every(({ id }, i) => id === second.tokens[i]?.id)
}
