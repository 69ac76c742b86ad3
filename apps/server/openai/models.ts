/** /v1/models */
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { json } from '../http/respond.ts'
import { now } from '../http/stamp.ts'
import type { ModelStatus } from '../models/models.ts'
import type { Service } from '../service/service.ts'

export function modelEndpoints({ models }: Service): readonly Endpoint[] {
  const created = now()
  const shown = ({ name, state, info }: ModelStatus) => ({
    id: name,
    object: 'model',
    created,
    // Anthropic's words for the same.
    ...{ type: 'model', display_name: name, created_at: new Date(created * 1000).toISOString() },
    owned_by: 'latentkit',
    // vLLM's and llama.cpp's words for the same.
    ...(info && { max_model_len: info.contextLength, meta: metaOf(info) }),
    status: { value: state },
  })
  return [
    endpoint({
      method: 'GET',
      path: '/v1/models',
      summary: 'Lists the models',
      run: () => {
        const data = models.status().map(shown)
        return json({ object: 'list', data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id })
      },
    }),
    endpoint({
      method: 'GET',
      // Names of the hub have a slash.
      path: '/v1/models/:name{.+}',
      summary: 'One model',
      run: ({ params }) => json(shown(models.statusOf(params.name))),
    }),
  ]
}

function metaOf({ vocabSize, contextLength, hiddenSize, parameters, weightBytes }: NonNullable<ModelStatus['info']>) {
  return { n_vocab: vocabSize, n_ctx_train: contextLength, n_embd: hiddenSize, n_params: parameters, size: weightBytes }
}
