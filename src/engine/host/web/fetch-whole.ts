/** The bytes of one of the package's own files. Throws an Error that names it. */
export async function fetchWhole(url: string): Promise<Uint8Array> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new Error(`${url} cannot be fetched: ${(error as Error).message}`, { cause: error })
  })
  if (!response.ok) throw new Error(`${url} cannot be fetched (HTTP ${response.status})`)
  return new Uint8Array(await response.arrayBuffer())
}
