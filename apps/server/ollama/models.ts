/** What models there are: /api/tags, /api/ps, /api/show, /api/version. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { type ModelInfo, VERSION } from '../../../src/index.ts'
import { invalid } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { json } from '../http/respond.ts'
import type { ModelStatus } from '../models/models.ts'
import { sizeOnDisk } from '../models/size.ts'
import type { Service } from '../service/service.ts'

const ShowBody = z.looseObject({
  model: z.string().nullish(),
  name: z.string().nullish(),
  verbose: z.boolean().nullish(),
})

/** Clients look at it before they send tools or thinking: the version of Ollama's API that is spoken here. */
const API_VERSION = '0.6.4'
/** Of a model that stays. */
const FOR_EVER = '9999-12-31T23:59:59Z'

export function modelEndpoints(service: Service): readonly Endpoint[] {
  const { models } = service
  return [
    endpoint({
      method: 'GET',
      path: '/api/version',
      summary: 'The version of the API',
      open: true,
      run: () => json({ version: API_VERSION, latentkit: VERSION }),
    }),
    endpoint({
      method: 'GET',
      path: '/api/tags',
      summary: 'Lists the models, as Ollama does',
      run: async () => json({ models: await Promise.all(models.status().map(listed)) }),
    }),
    endpoint({
      method: 'GET',
      path: '/api/ps',
      summary: 'Lists the models that are loaded',
      run: async () => {
        const loaded = models.status().filter(({ info }) => info !== null)
        const rows = loaded.map(async model => ({
          ...(await listed(model)),
          size: model.info?.weightBytes,
          size_vram: 0,
          context_length: model.info?.contextLength,
          expires_at: model.expires === null ? FOR_EVER : new Date(model.expires).toISOString(),
        }))
        return json({ models: await Promise.all(rows) })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/api/show',
      summary: 'What a model is, as Ollama says it',
      body: ShowBody,
      run: async exchange => {
        const asked = exchange.body.model ?? exchange.body.name
        if (!asked) throw invalid('model is missing; expected a name', 'model')
        const info = await service.use(exchange, asked, 0, ({ engine }) => engine.info)
        return json(shown(info, await listed({ ...models.statusOf(asked), info })))
      },
    }),
  ]
}

async function listed({ name, source, info }: ModelStatus) {
  const modified = await stat(source).then(
    found => found.mtime,
    () => new Date(0),
  )
  const size = await sizeOnDisk(source)
  return {
    ...{ name, model: name, modified_at: modified.toISOString(), size },
    // Another one when the file is another; the weights themselves are not read for it.
    digest: createHash('sha256').update(`${source} ${size} ${modified.getTime()}`).digest('hex'),
    details: detailsOf(source, info),
  }
}

function detailsOf(source: string, info: ModelInfo | null) {
  const family = info?.modelType ?? ''
  return {
    parent_model: '',
    format: /\.gguf$/i.test(source) ? 'gguf' : 'safetensors',
    ...{ family, families: family === '' ? [] : [family] },
    parameter_size: info ? short(info.parameters) : '',
    quantization_level: '',
  }
}

function shown(info: ModelInfo, { details, modified_at }: Awaited<ReturnType<typeof listed>>) {
  const { modelType: family, sampling } = info
  const { temperature, topP, topK, minP, repetitionPenalty } = sampling
  const parameters = { temperature, top_p: topP, top_k: topK, min_p: minP, repeat_penalty: repetitionPenalty }
  return {
    license: '',
    modelfile: `FROM ${info.name}`,
    parameters: Object.entries(parameters)
      .map(([name, value]) => `${name} ${value}`)
      .join('\n'),
    template: '',
    details,
    model_info: {
      'general.architecture': family,
      'general.parameter_count': info.parameters,
      [`${family}.block_count`]: info.nLayers,
      [`${family}.context_length`]: info.contextLength,
      [`${family}.embedding_length`]: info.hiddenSize,
      [`${family}.vocab_size`]: info.vocabSize,
    },
    capabilities: capabilitiesOf(info),
    modified_at,
  }
}

/** What may be asked of it. Any model that writes takes tools: a template that knows none is told of them, and forced calls are held. */
function capabilitiesOf({ generates, marksReasoning }: ModelInfo): string[] {
  return [...(generates ? ['completion', 'tools'] : []), ...(marksReasoning ? ['thinking'] : []), 'embedding']
}

/** 1.7B, 8.1M */
function short(n: number): string {
  const [size, unit] = n >= 1e9 ? [n / 1e9, 'B'] : [n / 1e6, 'M']
  return `${size.toFixed(1)}${unit}`
}
