/** Runs the test files in a worker of a page; `useCases` of in-page.ts is its other side. */
import { FILES } from 'virtual:test-files'
import { collect, type Listed, type Ran, runSelected } from './vitest.ts'

export type ToCases = { readonly list: string } | { readonly run: string; readonly indices: readonly number[] }
export type FromCases =
  | { readonly listed: readonly Listed[] }
  | Ran
  | { readonly ended: true }
  | { readonly failed: string }

interface Scope {
  onmessage: (event: { readonly data: ToCases }) => void
  postMessage(message: FromCases): void
}
const scope = globalThis as unknown as Scope

scope.onmessage = async ({ data }) => {
  try {
    if ('list' in data) {
      scope.postMessage({ listed: await collect(data.list, FILES[data.list] as () => Promise<unknown>) })
    } else {
      await runSelected(data.run, data.indices, ran => scope.postMessage(ran))
      scope.postMessage({ ended: true })
    }
  } catch (error) {
    scope.postMessage({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}
