/** What a head is for: switched off, or with what it found in another text, and what the next tokens become then. */
import type { TextReading } from '../../numbers/numbers.ts'
import { changeParams, useAddress } from '../../state/address.ts'
import type { TextChange } from '../../state/readings.ts'
import { useReading } from '../../state/use-reading.ts'
import { PATCH_TEXT } from '../presets.ts'
import { Problem } from '../read-status.tsx'
import type { Side } from '../sides/side.ts'
import { useAfter } from './after.tsx'
import { Before } from './before.tsx'
import { HeadsChoice, headsOf } from './heads-choice.tsx'

const WAYS = [
  { value: undefined, label: 'switched off' },
  { value: 'patch', label: 'taken from another text' },
] as const

export function WhatIf({ reading, side }: { reading: TextReading; side: Side }) {
  const { params } = useAddress()
  const way = params.way === 'patch' ? 'patch' : 'off'
  const other = params.other ?? PATCH_TEXT
  const all = params.rows === 'all'
  const after = useAfter(reading)
  const source = useReading(way === 'patch' ? other : side.text, [], side.slot).reading
  const differ = way === 'patch' && all && source !== undefined && source.tokens.length !== reading.tokens.length
  const heads = differ ? [] : headsOf(params[way], reading.layers)
  const changes = heads.map(
    (place): TextChange =>
      way === 'off'
        ? { kind: 'off', ...place }
        : { kind: 'head', ...place, fromText: other, ...(!all && { row: after, fromRow: -1 }) },
  )
  const changed = useReading(side.text, changes, side.slot)
  return (
    <section>
      <h2>What a head is for</h2>
      <fieldset class="toolbar" aria-label="Heads are">
        <span class="hint">Heads are</span>
        {WAYS.map(({ value, label }) => (
          <button
            key={label}
            type="button"
            class="chip"
            aria-pressed={way === (value ?? 'off')}
            onClick={() => changeParams({ way: value })}
          >
            {label}
          </button>
        ))}
      </fieldset>
      {way === 'off' ? (
        <p class="hint">
          Choose heads that shall find nothing, and see what the next token becomes. Heads that matter here change it;
          most do not.
        </p>
      ) : (
        <>
          <p class="hint">
            Choose heads that shall find here what they found in the other text (patching). If the next token becomes
            that of the other text, these heads carry what tells the two apart.
          </p>
          <div class="controls">
            <label class="field">
              <span>The other text</span>
              <input value={other} onInput={event => changeParams({ other: event.currentTarget.value })} />
            </label>
            <label class="field">
              <span>Where</span>
              <select
                value={all ? 'all' : 'last'}
                onChange={event => changeParams({ rows: event.currentTarget.value === 'all' ? 'all' : undefined })}
              >
                <option value="last">
                  {after < 0 ? 'at the last token' : 'at the chosen token, from the last one there'}
                </option>
                <option value="all">at every token (both texts have as many)</option>
              </select>
            </label>
          </div>
        </>
      )}
      {reading.source !== null && (
        <p class="hint">These heads look at what the model has written, not at its source.</p>
      )}
      <HeadsChoice
        label={way === 'off' ? 'Heads to switch off' : 'Heads to take from the other text'}
        layers={reading.layers}
        name={way}
      />
      {differ && (
        <Problem
          text={`The other text has ${source.tokens.length} tokens, this one ${reading.tokens.length}. Take the last token, or make them equally long.`}
        />
      )}
      {changed.problem !== undefined && heads.length > 0 && <Problem text={changed.problem} />}
      {heads.length > 0 && changed.reading && changed.reading !== reading && (
        <Before reading={reading} changed={changed.reading} />
      )}
    </section>
  )
}
