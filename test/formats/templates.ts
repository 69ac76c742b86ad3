import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Render } from '../../src/formats/template/render.ts'
import { Template } from '../../src/templates/template.ts'

interface Stored {
  readonly name: string
  readonly text: string
}

const read = (path: string) =>
  JSON.parse(gunzipSync(readFileSync(new URL(path, import.meta.url))).toString()) as Stored[]

/** The published templates of test/fixtures: 164 of Python packages, and the 97 of Ollama's models. */
export const TEMPLATES: readonly Stored[] = [
  ...read('../fixtures/templates/templates.json.gz'),
  ...read('../fixtures/formats/ollama-templates.json.gz'),
]

export function templateText(name: string): string {
  const found = TEMPLATES.find(template => template.name === name)
  if (!found) throw new Error(`no template ${name}`)
  return found.text
}

const NOW = new Date(2026, 6, 3, 14, 5, 9)

/** As the tokenizer renders it. */
export function renderOf(source: string): Render {
  const template = new Template(source)
  return (messages, { tools, addGenerationPrompt = false, variables = {} } = {}) =>
    template.render(
      {
        bos_token: '<s>',
        eos_token: '</s>',
        unk_token: '<unk>',
        ...variables,
        messages,
        tools: tools ?? null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
      },
      NOW,
    ).text
}
