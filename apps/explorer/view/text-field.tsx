/** The text that is looked into, with texts to begin with. */
import { changeParams } from '../state/address.ts'
import { useModel } from '../state/model.ts'
import { BUNDLED_NAME, PRESETS, shownIn } from './presets.ts'

export function TextField({ text }: { text: string }) {
  const model = useModel()
  const name = model.status === 'ready' ? model.numbers.info.name : BUNDLED_NAME
  const preset = PRESETS.find(one => one.text === text)
  const shown = shownIn(text, name)
  const forgotten = { layer: undefined, head: undefined, query: undefined, key: undefined, key2: undefined }
  const use = (next: string) => changeParams({ ...forgotten, text: next })
  return (
    <div class="text-field">
      <label class="field">
        <span>Text</span>
        <textarea rows={2} value={text} onInput={event => use(event.currentTarget.value)} />
      </label>
      <ul class="presets" aria-label="Texts to begin with">
        {PRESETS.map(one => (
          <li key={one.text}>
            <button type="button" class="chip" aria-pressed={one.text === text} onClick={() => use(one.text)}>
              <span class="name">{one.text}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown && <p class="hint">{shown.look}</p>}
      {preset && !shown && (
        <p class="hint">
          Tried with {Object.keys(preset.shown).join(' and ')}. In this model other heads may show it: in Patterns you
          can sort heads by what they do.
        </p>
      )}
    </div>
  )
}
