/** Builds all files of `latentkit/browser` into a folder. */
export function bundleBrowser(folder: string): Promise<void>
