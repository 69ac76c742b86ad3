/** llama.cpp's form of grammars: what it allows, and what is refused. */
import { describe, expect, it } from 'vitest'
import { larkOfGbnf } from '../../src/grammar/gbnf.ts'
import { prepareOutput } from '../../src/grammar/output.ts'
import { testLibrary } from './support.ts'

const { holds } = await testLibrary()

/** As llama.cpp ships it. */
const JSON_GRAMMAR = String.raw`
root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws # lists
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
`
const CASES: readonly (readonly [name: string, grammar: string, yes: readonly string[], no: readonly string[]])[] = [
  ['JSON', JSON_GRAMMAR, ['{"a": [1, 2.5e3, "x\\n", null, {}]}', '{}'], ['[1]', '{"a": [1,}', '{"a" 1}']],
  ['a list', 'root ::= item+\nitem ::= "- " [^\\n]+ "\\n"', ['- one\n', '- one\n- two\n'], ['one\n', '- \n']],
  ['counts', 'root ::= "a"{2} "b"{1,3} [c-e]{2,} "\\x21"?', ['aabcd', 'aabbbcde!'], ['abcd', 'aabbbbcd', 'aabc']],
  ['any character', 'root ::= "<" .* ">"', ['<>', '<\n é>'], ['<', 'x>']],
  ['nesting', 'root ::= pair\npair ::= "(" pair? ")"', ['()', '((()))'], ['(()', ')']],
  ['a name with dashes', 'root ::= my-rule | other\nmy-rule ::= "x"\nother ::= "日本"', ['x', '日本'], ['y', '日']],
]

describe('GBNF', () => {
  it.each(CASES)('%s', (_, grammar, yes, no) => {
    const text = larkOfGbnf(grammar)
    for (const one of yes) expect(holds({ kind: 'lark', text }, one), one).toBe(true)
    for (const one of no) expect(holds({ kind: 'lark', text }, one), one).toBe(false)
  })

  it('is known by its ::=, where a grammar is given', async () => {
    const { source } = await prepareOutput({ grammar: 'root ::= "yes" | "no"' })
    expect(holds(source, 'yes')).toBe(true)
    expect(holds(source, 'maybe')).toBe(false)
  })

  it.each([
    ['item ::= "x"', 'no rule root'],
    ['root ::= "x" more', 'root has more, which is no rule'],
    ['root ::= "x', 'line 1: a text or a class of characters does not end'],
    ['root ::= "x"\nroot2 ::= <think>', 'line 2: met what is no part of GBNF that can be held; it reads "<think>"'],
    ['root ::= ("x"', 'line 1: expected )'],
    ['root ::= "\\q"', '\\q is no escape'],
    ['root ::= "x"{9999}', 'a repetition is above 2000'],
  ])('%j is refused', async (grammar, message) => {
    await expect(prepareOutput({ grammar })).rejects.toThrow(message)
  })
})
