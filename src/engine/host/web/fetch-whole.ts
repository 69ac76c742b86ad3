/** One of the package's own files. Throws an Error that names it. */
export async function fetchFile(url: string): Promise<Response> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new Error(`${url} cannot be fetched: ${(error as Error).message}`, { cause: error })
  })
  if (!response.ok) throw new Error(`${url} cannot be fetched (HTTP ${response.status})`)
  return response
}

/** Its bytes. */
export async function fetchWhole(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetchFile(url)).arrayBuffer())
}
