/** docs/claims.md: what a person wrote, and between its marks what the bench computes. */
import type { KeptMeasurements } from './all.ts'
import type { Claim } from './claim.ts'
import type { Measured } from './measured.ts'

/** The claims in the order of the page. */
function claimsText(claims: readonly Claim[], kept: KeptMeasurements | null): string {
  const overview = table([
    ['claim', 'verdict'],
    ...claims.map(({ name, claim, verdict }) => [`[${claim}](#${name})`, verdict]),
  ])
  const sections = claims.map(claim =>
    section(
      claim,
      kept?.measured.find(({ name }) => name === claim.name),
    ),
  )
  return [overview, ...sections].join('\n\n')
}

function section({ name, claim, verdict, found, table: rows, command }: Claim, measured?: Measured): string {
  const parts = [
    `### ${name}`,
    `${claim} **${verdict[0]?.toUpperCase()}${verdict.slice(1)}.**`,
    found.map(sentence => `- ${sentence}`).join('\n'),
    ...(rows ? [table(rows)] : []),
    ...(measured ? [measured.found.map(sentence => `- ${sentence}`).join('\n')] : []),
    ...(measured?.table ? [table(measured.table)] : []),
    ...(command ? [`\`${command}\``] : []),
  ]
  return parts.join('\n\n')
}

function table([heads = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), `|${heads.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** The page with its claims as they are computed now. Throws where it has no marks. */
export function filledPage(page: string, claims: readonly Claim[], kept: KeptMeasurements | null): string {
  const marks = /(<!-- computed -->\n).*(<!-- end -->)/s
  if (!marks.test(page)) throw new Error('docs/claims.md has no marks "<!-- computed -->" and "<!-- end -->"')
  return page.replace(marks, (_, begin, end) => `${begin}\n${claimsText(claims, kept)}\n\n${end}`)
}
