/** A view once, or twice beside itself: for two texts, or for two models, as the address says. */
import type { ComponentChildren } from 'preact'
import type { ModelInfo } from '../../../../src/browser.ts'
import { ownInNode } from '../../numbers/open.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { type Slot, useModel } from '../../state/model.ts'
import { ModelBar } from '../model-bar.tsx'
import { otherThan } from '../presets.ts'
import { only, type Side } from './side.ts'

interface Props {
  text: string
  /** What is shown of one text by one model. */
  children: (side: Side) => ComponentChildren
  /** What is said of both. */
  both?: ((first: Side, second: Side) => ComponentChildren) | undefined
}

const CHOICES = [
  { value: undefined, label: 'nothing' },
  { value: 'text', label: 'another text' },
  { value: 'model', label: 'another model' },
] as const

export function Sides({ text, children, both }: Props) {
  const { params } = useAddress()
  const beside = params.beside === 'text' || params.beside === 'model' ? params.beside : undefined
  return (
    <>
      <fieldset class="toolbar beside" aria-label="Side by side with">
        <span class="hint">Side by side with</span>
        {CHOICES.map(({ value, label }) => (
          <button
            key={label}
            type="button"
            class="chip"
            aria-pressed={value === beside}
            onClick={() => changeParams({ beside: value })}
          >
            {(value === 'model' && ownInNode('beside')) || label}
          </button>
        ))}
      </fieldset>
      {beside === undefined && children(only(text))}
      {beside === 'text' && (
        <TwoTexts text={text} both={both}>
          {children}
        </TwoTexts>
      )}
      {beside === 'model' && (
        <TwoModels text={text} both={both}>
          {children}
        </TwoModels>
      )}
    </>
  )
}

function TwoTexts({ text, children, both }: Props) {
  const { params } = useAddress()
  const other = params.text2 ?? otherThan(text)
  const first: Side = { ...only(text), label: `“${text}”` }
  const own = { query: 'query2', key: 'key2' } as const
  const second: Side = { slot: 'main', text: other, suffix: '2', label: `“${other}”`, ...own }
  return (
    <>
      <label class="field">
        <span>The other text</span>
        <textarea
          rows={2}
          value={other}
          onInput={event => changeParams({ text2: event.currentTarget.value, query2: undefined, key2: undefined })}
        />
      </label>
      <Two first={first} second={second} both={both}>
        {children}
      </Two>
    </>
  )
}

function TwoModels({ text, children, both }: Props) {
  const infos = [useInfo('main'), useInfo('beside')]
  const names = infos.map(info => info?.name ?? '…')
  const same = names[0] === names[1]
  const types = infos.map(info => info?.modelType ?? '')
  // Two of one name are told apart by what they are, or else by their places.
  const labels = names.map((name, i) =>
    same ? `${name}, ${types[0] === types[1] ? ['above', 'the other'][i] : types[i]}` : name,
  )
  const first: Side = { ...only(text), label: labels[0] }
  const second: Side = { slot: 'beside', text, suffix: '2', label: labels[1], query: 'query', key: 'key' }
  return (
    <>
      <ModelBar slot="beside" />
      <Two first={first} second={second} both={both}>
        {children}
      </Two>
    </>
  )
}

function useInfo(slot: Slot): ModelInfo | undefined {
  const model = useModel(slot)
  return model.status === 'ready' ? model.numbers.info : undefined
}

interface TwoProps extends Pick<Props, 'children' | 'both'> {
  first: Side
  second: Side
}

function Two({ first, second, children, both }: TwoProps) {
  return (
    <>
      {both?.(first, second)}
      <div class="sides">
        {[first, second].map((side, i) => (
          <section key={side.suffix} class="one-side" aria-label={side.label} data-side={i + 1}>
            <h2>{side.label}</h2>
            {children(side)}
          </section>
        ))}
      </div>
    </>
  )
}
