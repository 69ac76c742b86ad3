/** What `bundle.ts` puts in its place. */
declare module 'virtual:test-files' {
  export const FILES: Readonly<Record<string, () => Promise<unknown>>>
}
