/** Addresses that a link of an answer may have; anything else, such as javascript:, stays text. */
export function safeAddress(address: string): string | undefined {
  const schemes = new Set(['http:', 'https:', 'mailto:'])
  try {
    const url = new URL(address)
    return schemes.has(url.protocol) ? url.href : undefined
  } catch {
    // Addresses relative to this page lead nowhere that a model could mean.
    return undefined
  }
}
