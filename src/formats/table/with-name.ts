/** A text of the table with the tool's name: in JSON where the table has it in quotes of a JSON object. */
export function withName(text: string, name: string): string {
  return text.startsWith('{') || text.includes('{"name": "NAME"')
    ? text.replace('"NAME"', () => JSON.stringify(name))
    : text.replace('NAME', () => name)
}
