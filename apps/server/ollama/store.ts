/** What a server of ours does not do over HTTP: its models are chosen where it is started. */
import { Failure } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'

const ELSEWHERE = {
  pull: 'latentkit pull OWNER/NAME, then start the server with it',
  push: 'a tool of the hub',
  create: 'latentkit convert, then start the server with what it writes',
  copy: 'another name for a model: latentkit serve NAME=MODEL',
} as const

const NOT_DONE = { summary: 'Not done here', listed: false } as const

export function storeEndpoints(): readonly Endpoint[] {
  const refuse = (path: string, instead: string) => () => {
    throw new Failure('unsupported', `${path} is not done here; use ${instead}.`, { code: 'unsupported' })
  }
  const named = Object.entries(ELSEWHERE).map(([name, instead]) =>
    endpoint({ ...NOT_DONE, method: 'POST', path: `/api/${name}`, run: refuse(`/api/${name}`, instead) }),
  )
  const remove = refuse('/api/delete', 'latentkit rm on the machine that has the model')
  return [...named, endpoint({ ...NOT_DONE, method: 'DELETE', path: '/api/delete', run: remove })]
}
