/** Which model is looked into, and how to open another. */
import { useRef } from 'preact/hooks'
import { bytes, whole } from '../drawing/format.ts'
import type { Numbers } from '../numbers/numbers.ts'
import { BUNDLED, modelInNode } from '../numbers/open.ts'
import { openModel, type Slot, USUAL, useModel } from '../state/model.ts'

export function ModelBar({ slot = 'main' }: { slot?: Slot }) {
  const model = useModel(slot)
  const input = useRef<HTMLInputElement>(null)
  const inNode = modelInNode()
  return (
    <div class="model-bar" data-slot={slot}>
      <p role="status">
        {model.status === 'ready' ? (
          <>
            <strong>{model.numbers.info.name}</strong>{' '}
            <span class="hint">
              {whole(model.numbers.info.nLayers)} layers, {bytes(model.numbers.info.cacheBytesPerToken)} of cache per
              token, {placeOf(model.numbers)}
            </span>
          </>
        ) : model.status === 'failed' ? (
          <span class="failed">{model.message}</span>
        ) : model.status === 'missing' ? (
          <>
            <strong>{model.file}</strong>{' '}
            <span class="hint">is a file of yours: a page opens it only when you pick it again.</span>
          </>
        ) : (
          <span class="hint">
            Loading the model …{' '}
            {model.status === 'loading' && model.part > 0 ? `${Math.round(model.part * 100)} %` : ''}
          </span>
        )}
      </p>
      <span class="model-buttons">
        {(model.status === 'failed' || model.status === 'missing') && (
          <button type="button" class="quiet" onClick={() => openModel(BUNDLED, slot)}>
            The bundled model
          </button>
        )}
        {inNode !== undefined && model.status === 'ready' && model.numbers.place === 'page' && (
          <button type="button" class="quiet" onClick={() => openModel(USUAL, slot)}>
            Back to {inNode}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => input.current?.click()}>
          {inNode === undefined ? 'Open a model …' : 'Open a model in this page …'}
        </button>
      </span>
      <input
        ref={input}
        type="file"
        class="hidden"
        multiple
        tabIndex={-1}
        accept=".gguf,.safetensors,.json"
        aria-label="A GGUF file, or config.json, tokenizer.json and safetensors"
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])]
          // The same file may be picked again.
          currentTarget.value = ''
          if (files.length > 0) openModel(files, slot)
        }}
      />
    </div>
  )
}

function placeOf({ place, info: { kernels } }: Numbers): string {
  const threads = `${kernels.threads} ${kernels.threads === 1 ? 'thread' : 'threads'}`
  return place === 'page' ? 'computed in this page' : `computed in Node (${kernels.name} ${kernels.isa}, ${threads})`
}
