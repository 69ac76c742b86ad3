import { BLANK } from './text.ts'

/** What Python knows of letters beyond JavaScript: title case, and which characters its is…() methods take. */

const DIGRAPHS = ['ǄǅǆǅǇǈǉǈǊǋǌǋǱǲǳǲ'].join('')

/** One character in title case: most often its upper case. */
export function titleCharacter(character: string): string {
  const code = character.codePointAt(0)!
  if (code < 0xdf) return character.toUpperCase()
  const group = DIGRAPHS.indexOf(character)
  if (group >= 0) return DIGRAPHS[group - (group % 4) + 1]!
  // Georgian letters have capitals that titles do not use.
  if (code >= 0x10d0 && code <= 0x10ff) return character
  const upper = character.toUpperCase()
  const first = String.fromCodePoint(upper.codePointAt(0)!)
  if (first === upper || character === 'ŉ') return upper
  if (code >= 0x1f80 && code <= 0x1fff && upper.endsWith('Ι')) return `${upper.slice(0, -1)}\u0345`.normalize('NFC')
  return first + upper.slice(first.length).toLowerCase()
}

export function foldCase(text: string): string {
  return text
    .replace(/[^\0-\x7f]/gu, character => {
      if (character === 'ı' || character === 'İ') return character.toLowerCase()
      if (character === 'ẞ') return 'ss'
      const code = character.codePointAt(0)!
      const cherokee = (code >= 0x13a0 && code <= 0x13fd) || (code >= 0xab70 && code <= 0xabbf)
      return cherokee ? character.toUpperCase() : character.toUpperCase().toLowerCase().replaceAll('ς', 'σ')
    })
    .replace(/[A-Z]/g, letter => letter.toLowerCase())
}

const DIGIT =
  '\\p{Nd}\\u{b2}-\\u{b3}\\u{b9}\\u{1369}-\\u{1371}\\u{19da}\\u{2070}\\u{2074}-\\u{2079}\\u{2080}-\\u{2089}\\u{2460}-\\u{2468}' +
  '\\u{2474}-\\u{247c}\\u{2488}-\\u{2490}\\u{24ea}\\u{24f5}-\\u{24fd}\\u{24ff}\\u{2776}-\\u{277e}\\u{2780}-\\u{2788}' +
  '\\u{278a}-\\u{2792}\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}'

/** Ideographs that stand for numbers. */
const NUMERAL =
  '㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零參拾兩零六陸什'

export const IS = {
  alpha: /^\p{L}+$/u,
  decimal: /^\p{Nd}+$/u,
  digit: new RegExp(`^[${DIGIT}]+$`, 'u'),
  numeric: new RegExp(`^[\\p{N}${NUMERAL}]+$`, 'u'),
  alnum: new RegExp(`^[\\p{L}\\p{N}${NUMERAL}]+$`, 'u'),
  space: new RegExp(`^[${BLANK}]+$`),
  identifier: /^[\p{ID_Start}_][\p{ID_Continue}]*$/u,
  unprintable: /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Zs}]/u,
} as const

/** For cased words: which character is lower, upper or title case. */
export const LOWER = /^\p{Lowercase}$/u
export const UPPER = /^\p{Uppercase}$/u
export const TITLE = /^\p{Lt}$/u
