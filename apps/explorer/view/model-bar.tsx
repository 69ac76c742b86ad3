/** Which model is looked into, and how to open another. */
import { useRef } from 'preact/hooks'
import { bytes, whole } from '../drawing/format.ts'
import { openModel, useModel } from '../state/model.ts'

export function ModelBar() {
  const model = useModel()
  const input = useRef<HTMLInputElement>(null)
  return (
    <div class="model-bar">
      <p role="status">
        {model.status === 'ready' ? (
          <>
            <strong>{model.numbers.info.name}</strong>{' '}
            <span class="hint">
              {whole(model.numbers.info.nLayers)} layers, {bytes(model.numbers.info.cacheBytesPerToken)} of cache per
              token, runs in this page
            </span>
          </>
        ) : model.status === 'failed' ? (
          <span class="failed">{model.message}</span>
        ) : (
          <span class="hint">
            Loading the model …{' '}
            {model.status === 'loading' && model.part > 0 ? `${Math.round(model.part * 100)} %` : ''}
          </span>
        )}
      </p>
      <button type="button" class="quiet" onClick={() => input.current?.click()}>
        Open a model …
      </button>
      <input
        ref={input}
        type="file"
        class="hidden"
        multiple
        tabIndex={-1}
        accept=".gguf,.safetensors,.json"
        aria-label="A GGUF file, or config.json, tokenizer.json and safetensors"
        onChange={({ currentTarget: { files } }) => files && files.length > 0 && void openModel([...files])}
      />
    </div>
  )
}
