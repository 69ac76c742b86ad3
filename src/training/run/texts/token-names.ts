/** Names of files of tokens, and of what a process that was killed while it wrote one has left. */
export const TOKENS = /^texts-[0-9a-f]{32}\.tokens$/
export const UNFINISHED_TOKENS = /^(texts-[0-9a-f]{32}\.tokens)\.(?:.*partial|writing)$/

export function tokensName(digest: string): string {
  return `texts-${digest}.tokens`
}
