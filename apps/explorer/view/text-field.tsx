/** The text that is looked into, with texts to begin with. */
import { changeParams } from '../state/address.ts'
import { useModel } from '../state/model.ts'
import { BUNDLED_NAME, PRESETS, type Preset } from './presets.ts'

export function TextField({ text }: { text: string }) {
  const model = useModel()
  const bundled = model.status !== 'ready' || model.numbers.info.name === BUNDLED_NAME
  const preset = PRESETS.find(one => one.text === text)
  const use = (next: string, at?: Preset['at']) => {
    const shown = (name: keyof Preset['at']) => (at && bundled ? String(at[name]) : undefined)
    changeParams({ text: next, layer: shown('layer'), head: shown('head'), query: shown('query') })
  }
  return (
    <div class="text-field">
      <label class="field">
        <span>Text</span>
        <textarea rows={2} value={text} onInput={event => use(event.currentTarget.value)} />
      </label>
      <ul class="presets" aria-label="Texts to begin with">
        {PRESETS.map(one => (
          <li key={one.text}>
            <button type="button" class="chip" aria-pressed={one.text === text} onClick={() => use(one.text, one.at)}>
              <span class="name">{one.text}</span>
            </button>
          </li>
        ))}
      </ul>
      {preset && bundled && <p class="hint">{preset.look}</p>}
    </div>
  )
}
