import type { StoredModel } from '../../../src/for-apps.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { table } from '../output/table.ts'

/** A line per model; what is incomplete says so. */
export function modelsView(models: readonly StoredModel[]): string {
  const heads = [
    { head: 'name' },
    { head: 'size', align: 'right' as const },
    { head: 'family' },
    { head: 'modified' },
    { head: '' },
  ]
  const rows = models.map(({ name, bytes, family, modifiedAt, complete }) => [
    name,
    format.bytes(bytes),
    family ?? '—',
    format.minute(modifiedAt),
    complete ? '' : 'incomplete: pull it again',
  ])
  return table(heads, rows, { style: colours(process.stdout).bold })
}

/** `2 models, 5.21 GiB` */
export function amount(models: readonly StoredModel[]): string {
  const bytes = models.reduce((sum, model) => sum + model.bytes, 0)
  return `${format.plural(models.length, 'model')}, ${format.bytes(bytes)}`
}
