/** The planner's sliders and lists. */
import { useEffect, useState } from 'preact/hooks'
import { whole } from '../../drawing/format.ts'
import { changeParams } from '../../state/address.ts'
import { CACHE_TYPES, LOADED, MAX_BATCH, MAX_CONTEXT, MODEL_NAMES, WEIGHT_TYPES } from './settings.ts'

interface Props {
  /** Text of the user's own config.json. */
  config: string | undefined
  model: string
  context: number
  batch: number
  cacheType: string
  weights: string | undefined
  problem: string | undefined
}

/** A config.json that is dropped anywhere on the page takes the model's place. */
function useDropped(use: (config: string) => void): void {
  useEffect(() => {
    const over = (event: DragEvent) => event.preventDefault()
    const drop = async (event: DragEvent) => {
      event.preventDefault()
      const [file] = event.dataTransfer?.files ?? []
      if (file !== undefined) use(await configIn(file))
    }
    document.addEventListener('dragover', over)
    document.addEventListener('drop', drop)
    return () => {
      document.removeEventListener('dragover', over)
      document.removeEventListener('drop', drop)
    }
  }, [])
}

const takeConfig = (config: string) => changeParams({ config, model: undefined })

export function Controls({ config, model, context, batch, cacheType, weights, problem }: Props) {
  useDropped(takeConfig)
  return (
    <form class="controls" onSubmit={event => event.preventDefault()}>
      <label class="field wide">
        <span>Model</span>
        <select
          value={config === undefined ? model : ''}
          onChange={({ currentTarget: { value } }) =>
            changeParams(value === '' ? { config: '{}' } : { model: value, config: undefined })
          }
        >
          <option value={LOADED}>The model that is open here</option>
          {MODEL_NAMES.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
          <option value="">A config.json of your own …</option>
        </select>
      </label>
      <LogSlider
        name="Context"
        unit="tokens"
        value={context}
        least={1024}
        most={MAX_CONTEXT}
        change={value => changeParams({ context: String(value) })}
      />
      <LogSlider
        name="Batch"
        unit={batch === 1 ? 'user' : 'users'}
        value={batch}
        least={1}
        most={MAX_BATCH}
        change={value => changeParams({ batch: String(value) })}
      />
      <label class="field">
        <span>Type of the cache</span>
        <select value={cacheType} onChange={event => changeParams({ type: event.currentTarget.value })}>
          {[...new Set([...CACHE_TYPES, cacheType])].map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Type of the weights</span>
        <select
          value={weights ?? ''}
          onChange={({ currentTarget: { value } }) => changeParams({ weights: value === '' ? undefined : value })}
        >
          <option value="">as published</option>
          {WEIGHT_TYPES.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      {config !== undefined && <OwnConfig text={config} problem={problem} />}
    </form>
  )
}

function OwnConfig({ text, problem }: { text: string; problem: string | undefined }) {
  return (
    <div class="field full">
      <label>
        <span>
          config.json <span class="hint">(paste it, or choose the file; it stays on this page and in its address)</span>
        </span>
        <textarea
          class="code"
          rows={6}
          spellcheck={false}
          value={text === '{}' ? '' : text}
          placeholder='{ "model_type": "deepseek_v3", "num_hidden_layers": 61, … }'
          aria-invalid={problem !== undefined && text !== '{}'}
          onInput={event => takeConfig(event.currentTarget.value || '{}')}
        />
      </label>
      <input
        type="file"
        accept=".json,application/json"
        aria-label="Choose a config.json"
        onChange={async ({ currentTarget: { files } }) => files?.[0] && takeConfig(await configIn(files[0]))}
      />
    </div>
  )
}

/** More than any config.json has: what is dropped may be a model's weights. */
const MAX_CONFIG = 2 ** 20

/** What a file has as a config; of a larger one, why it is none. */
async function configIn(file: File): Promise<string> {
  return file.size > MAX_CONFIG
    ? `${file.name} has ${whole(file.size)} bytes, which no config.json has`
    : minified(await file.text())
}

function minified(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

interface SliderProps {
  name: string
  unit: string
  value: number
  least: number
  most: number
  change: (value: number) => void
}

/** A slider over powers of two, with the number itself beside it for exact values. */
function LogSlider({ name, unit, value, least, most, change }: SliderProps) {
  const [text, setText] = useState<string>()
  const commit = () => {
    const typed = Math.round(Number(text?.replace(/[\s,_]/g, '')))
    if (typed >= 1) change(Math.min(typed, most))
    setText(undefined)
  }
  return (
    <div class="field slider">
      <span class="row">
        <label for={`slide-${name}`}>{name}</label>
        <span>
          <input
            class="exact"
            inputMode="numeric"
            aria-label={`${name}, exactly`}
            value={text ?? whole(value)}
            onInput={event => setText(event.currentTarget.value)}
            onBlur={commit}
            onKeyDown={event => event.key === 'Enter' && commit()}
          />{' '}
          <span class="hint">{unit}</span>
        </span>
      </span>
      <input
        id={`slide-${name}`}
        type="range"
        min={Math.log2(least)}
        max={Math.log2(most)}
        step={0.125}
        value={Math.log2(value)}
        aria-valuetext={`${whole(value)} ${unit}`}
        onInput={event => change(round(2 ** Number(event.currentTarget.value)))}
      />
    </div>
  )
}

/** To three digits, but powers of two as they are. */
function round(n: number): number {
  return Number.isInteger(Math.log2(n)) ? n : Number(n.toPrecision(3))
}
