/** The chat page, built from apps/page: `GET /` and the files beside it. */
import { Failure } from '../failure.ts'
import { type Dialect, endpoint } from '../http/dialect.ts'
import { failed } from '../http/failed.ts'
import { pageResponse } from './files.ts'

export function page(): Dialect {
  return {
    name: 'page',
    owns: () => false,
    failed,
    endpoints: [
      endpoint({
        method: 'GET',
        path: '/',
        summary: 'The chat page, for browsers',
        open: true,
        run: ({ request }) => (wantsPage(request) && pageResponse(request)) || alive(),
      }),
      endpoint({
        method: 'GET',
        path: '/:file{[\\w-]+\\.(?:js|css|svg|txt)}',
        summary: 'A file of the chat page',
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
