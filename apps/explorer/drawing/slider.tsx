/** A number that is chosen by moving. */
interface SliderProps {
  label: string
  value: number
  min: number
  max: number
  step: number
  choose: (value: string) => void
}

export function Slider({ label, value, min, max, step, choose }: SliderProps) {
  return (
    <label class="field">
      <span class="row">
        {label} <output>{value}</output>
      </span>
      <input type="range" {...{ min, max, step, value }} onInput={event => choose(event.currentTarget.value)} />
    </label>
  )
}
