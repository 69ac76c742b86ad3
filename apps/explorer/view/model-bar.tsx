/** Which model is looked into, and how to open another. */
import { bytes, whole } from '../drawing/format.ts'
import type { Numbers } from '../numbers/numbers.ts'
import { BUNDLED, modelInNode } from '../numbers/open.ts'
import { openModel, type Slot, USUAL, useModel } from '../state/model.ts'
import { FileBar, PickAgain } from './file-bar.tsx'

export function ModelBar({ slot = 'main' }: { slot?: Slot }) {
  const model = useModel(slot)
  const inNode = modelInNode(slot)
  return (
    <FileBar
      slot={slot}
      label={inNode === undefined ? 'Open a model …' : 'Open a model in this page …'}
      accept=".gguf,.safetensors,.json"
      expected="A GGUF file, or config.json, tokenizer.json and safetensors"
      pick={files => openModel(files, slot)}
      folderLabel="Open a folder …"
      buttons={
        <>
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
        </>
      }
    >
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
        <PickAgain name={model.file} />
      ) : (
        <span class="hint">
          Loading the model … {model.status === 'loading' && model.part > 0 ? `${Math.round(model.part * 100)} %` : ''}
        </span>
      )}
    </FileBar>
  )
}

function placeOf({ place, info: { kernels } }: Numbers): string {
  const threads = `${kernels.threads} ${kernels.threads === 1 ? 'thread' : 'threads'}`
  return place === 'page' ? 'computed in this page' : `computed in Node (${kernels.name} ${kernels.isa}, ${threads})`
}
