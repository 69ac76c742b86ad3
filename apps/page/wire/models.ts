/** Asks the server which models it has. */
import { headers } from './answer.ts'
import { networkFailure, refusal } from './failure.ts'
import { list, number, object, text } from './json.ts'

export interface ListedModel {
  id: string
  /** How many tokens it reads; undefined while the server does not say. */
  contextLength: number | undefined
}

/** The models that the server offers. @throws Failure */
export async function listModels(key: string): Promise<ListedModel[]> {
  try {
    const response = await fetch('v1/models', { headers: headers(key) })
    if (!response.ok) throw await refusal(response)
    return list(object(await response.json()).data).flatMap(entry => {
      const model = object(entry)
      const id = text(model.id)
      const meta = object(model.meta)
      const contextLength = number(model.max_model_len) ?? number(model.context_length) ?? number(meta.n_ctx)
      return id === undefined ? [] : [{ id, contextLength }]
    })
  } catch (cause) {
    throw networkFailure(cause, false)
  }
}
