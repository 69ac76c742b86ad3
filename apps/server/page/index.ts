/** The chat page, built from apps/page: `GET /` and the files beside it. */
import { Failure } from '../failure.ts'
import { type Dialect, endpoint } from '../http/dialect.ts'
import { FailureBody, failed } from '../http/failed.ts'
import { pageResponse } from './files.ts'

export function page(): Dialect {
  return {
    name: 'page',
    owns: () => false,
    failed,
    failure: FailureBody,
    endpoints: [
      endpoint({
        method: 'GET',
        path: '/',
        summary: 'The chat page, for browsers',
        gives: '*/*',
        open: true,
        run: ({ request }) => (wantsPage(request) && pageResponse(request)) || alive(),
      }),
      endpoint({
        method: 'GET',
        path: '/:file{[\\w-]+\\.(?:js|css|svg|txt)}',
        summary: 'A file of the chat page',
        gives: '*/*',
        open: true,
        run: ({ request, path }) => {
          const response = pageResponse(request)
          if (response) return response
          throw new Failure('missing', `There is no ${path} here.`, { code: 'not_found' })
        },
      }),
    ],
  }
}

function wantsPage({ headers }: Request): boolean {
  return headers.get('accept')?.includes('text/html') ?? false
}

/** What Ollama says here, by which programs find out that it runs. */
function alive(): Response {
  return new Response('Ollama is running', { headers: { 'content-type': 'text/plain; charset=utf-8', vary: 'accept' } })
}
