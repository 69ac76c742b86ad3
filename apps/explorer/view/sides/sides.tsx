/** A view once, or twice beside itself: for two texts, or for two models, as the address says. */
import type { ComponentChildren } from 'preact'
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import { type Slot, useModel } from '../../state/model.ts'
import { type ReadState, useReading } from '../../state/use-reading.ts'
import { ModelBar } from '../model-bar.tsx'
import { otherThan } from '../presets.ts'
import { WithReading } from '../read-status.tsx'
import { only, type Side } from './side.ts'

interface Props {
  text: string
  /** The view of one text by one model. */
  children: (reading: TextReading, side: Side, read: ReadState) => ComponentChildren
  /** What is said of both, when they are there. */
  both?: ((first: TextReading, second: TextReading) => ComponentChildren) | undefined
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
            {label}
          </button>
        ))}
      </fieldset>
      {beside === undefined && <One text={text}>{children}</One>}
      {beside === 'text' && (
        <>
          <label class="field">
            <span>The other text</span>
            <textarea
              rows={2}
              value={params.text2 ?? otherThan(text)}
              onInput={event => changeParams({ text2: event.currentTarget.value, query2: undefined })}
            />
          </label>
          <Two
            first={{ ...only(text), label: `“${text}”` }}
            second={{
              slot: 'main',
              text: params.text2 ?? otherThan(text),
              suffix: '2',
              label: `“${params.text2 ?? otherThan(text)}”`,
              query: 'query2',
            }}
            both={both}
          >
            {children}
          </Two>
        </>
      )}
      {beside === 'model' && (
        <TwoModels text={text} both={both}>
          {children}
        </TwoModels>
      )}
    </>
  )
}

function TwoModels({ text, children, both }: Props) {
  const names = [useName('main'), useName('beside')]
  // Two of one name are told apart by their places.
  const same = names[0] === names[1]
  return (
    <>
      <ModelBar slot="beside" />
      <Two
        first={{ ...only(text), label: same ? `${names[0]}, above` : names[0] }}
        second={{
          slot: 'beside',
          text,
          suffix: '2',
          label: same ? `${names[1]}, the other` : names[1],
          query: 'query',
        }}
        both={both}
      >
        {children}
      </Two>
    </>
  )
}

function useName(slot: Slot): string {
  const model = useModel(slot)
  return model.status === 'ready' ? model.numbers.info.name : '…'
}

function One({ text, children }: Pick<Props, 'text' | 'children'>) {
  const read = useReading(text)
  return <WithReading read={read}>{reading => children(reading, only(text), read)}</WithReading>
}

interface TwoProps extends Pick<Props, 'children' | 'both'> {
  first: Side
  second: Side
}

function Two({ first, second, children, both }: TwoProps) {
  const reads = [useReading(first.text, [], first.slot), useReading(second.text, [], second.slot)] as const
  const [a, b] = reads
  return (
    <>
      <div class="sides">
        {[first, second].map((side, i) => {
          const read = reads[i] as ReadState
          return (
            <section key={side.suffix} class="one-side" aria-label={side.label} data-side={i + 1}>
              <h2>{side.label}</h2>
              <WithReading read={read} slot={side.slot}>
                {reading => children(reading, side, read)}
              </WithReading>
            </section>
          )
        })}
      </div>
      {both && a.reading && b.reading && !a.busy && !b.busy && (
        <WithReading read={a}>{first => both(first, b.reading as TextReading)}</WithReading>
      )}
    </>
  )
}
