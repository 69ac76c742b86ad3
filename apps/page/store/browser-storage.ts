/** `local` lasts; `session` is this tab's. Both throw where the user blocks them: the page works without. */
type Place = 'local' | 'session'

export function read(place: Place, name: string): string {
  try {
    return storage(place).getItem(name) ?? ''
  } catch {
    return ''
  }
}

/** Stores a text, or nothing if it is empty. */
export function write(place: Place, name: string, value: string): void {
  try {
    if (value === '') storage(place).removeItem(name)
    else storage(place).setItem(name, value)
  } catch {
    // It is remembered for as long as the page is open.
  }
}

function storage(place: Place): Storage {
  return place === 'local' ? localStorage : sessionStorage
}
