/** Calls whose arguments are JSON. */
import type { CallFormat } from './format.ts'

export const GENERIC: CallFormat = {
  section: null,
  begin: '',
  end: '',
  body: { kind: 'object', arguments: 'arguments' },
  text: {
    open: '{"tool_calls": [',
    begin: '{"name": "NAME", "arguments": ',
    end: '}',
    between: ', ',
    close: ']}',
  },
}

const DEEPSEEK_MARKS = {
  section: { begin: ['<｜tool▁calls▁begin｜>'], end: ['<｜tool▁calls▁end｜>'] },
  begin: '<｜tool▁call▁begin｜>',
  end: '<｜tool▁call▁end｜>',
  body: { kind: 'separated', separator: '<｜tool▁sep｜>' },
} as const

export const DEEPSEEK_V3: CallFormat = {
  ...DEEPSEEK_MARKS,
  text: {
    open: '<｜tool▁calls▁begin｜>',
    begin: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME\n```json\n',
    end: '\n```<｜tool▁call▁end｜>',
    between: '\n',
    close: '<｜tool▁calls▁end｜>',
  },
}

export const DEEPSEEK_V31: CallFormat = {
  ...DEEPSEEK_MARKS,
  text: {
    open: '<｜tool▁calls▁begin｜>',
    begin: '<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>',
    end: '<｜tool▁call▁end｜>',
    between: '',
    close: '<｜tool▁calls▁end｜>',
  },
}

export const KIMI: CallFormat = {
  section: { begin: ['<|tool_calls_section_begin|>'], end: ['<|tool_calls_section_end|>'] },
  begin: '<|tool_call_begin|>',
  end: '<|tool_call_end|>',
  body: { kind: 'separated', separator: '<|tool_call_argument_begin|>' },
  text: {
    open: '<|tool_calls_section_begin|>',
    begin: '<|tool_call_begin|>functions.NAME:IDX<|tool_call_argument_begin|>',
    end: '<|tool_call_end|>',
    between: '',
    close: '<|tool_calls_section_end|>',
  },
}

/** One call between two tags, as JSON. `line`: what is beside the tags inside them. */
export function tagged(tag: string, line: string): CallFormat {
  return {
    section: null,
    begin: `<${tag}>`,
    end: `</${tag}>`,
    body: { kind: 'object', arguments: 'arguments' },
    text: {
      open: '',
      begin: `<${tag}>${line}{"name": "NAME", "arguments": `,
      end: `}${line}</${tag}>`,
      between: line,
      close: '',
    },
  }
}

/** All calls in one list of JSON after a mark. `others`: marks that models write in its place. */
export function listed(begin: string, end: string, others: readonly string[] = []): CallFormat {
  return {
    section: { begin: [begin, ...others], end: end === '' ? [] : [end] },
    begin: '',
    end: '',
    body: { kind: 'object', arguments: 'arguments' },
    text: {
      open: `${begin}[`,
      begin: '{"name": "NAME", "arguments": ',
      end: '}',
      between: ', ',
      close: `]${end}`,
    },
  }
}

export const LLAMA: CallFormat = {
  section: { begin: ['<|python_tag|>'], end: [] },
  begin: '',
  end: '',
  body: { kind: 'object', arguments: 'parameters' },
  text: {
    open: '',
    begin: '{"name": "NAME", "parameters": ',
    end: '}',
    between: '; ',
    close: '',
  },
}

/** The name on a line of its own. */
export const GLM_4: CallFormat = {
  section: null,
  begin: '',
  end: '',
  body: { kind: 'separated', separator: '\n' },
  text: { open: '', begin: 'NAME\n', end: '', between: '\n', close: '' },
}

/** A message of its own for each call: its role ends the text before it. */
const GIGACHAT_ROLE = '<|message_sep|>\n\nfunction call<|role_sep|>'

export const GIGACHAT: CallFormat = {
  section: { begin: [GIGACHAT_ROLE, 'function call<|role_sep|>'], end: [] },
  begin: '',
  end: '',
  body: { kind: 'object', arguments: 'arguments' },
  text: {
    open: `${GIGACHAT_ROLE}\n`,
    begin: '{"name": "NAME", "arguments": ',
    end: '}',
    between: `${GIGACHAT_ROLE}\n`,
    close: '',
  },
}

export const GIGACHAT_31: CallFormat = {
  section: null,
  begin: '<|function_call|>',
  end: '',
  body: { kind: 'object', arguments: 'arguments' },
  text: {
    open: '',
    begin: '<|function_call|>{"name": "NAME", "arguments": ',
    end: '}',
    between: '',
    close: '',
  },
}

export const MISTRAL: CallFormat = {
  section: null,
  begin: '[TOOL_CALLS]',
  end: '',
  body: { kind: 'separated', separator: '[ARGS]' },
  text: {
    open: '',
    begin: '[TOOL_CALLS]NAME[ARGS]',
    end: '',
    between: '',
    close: '',
  },
}

/** A message of its own for each call: its recipient is the tool. */
export const HARMONY: CallFormat = {
  section: null,
  begin: '<|channel|>',
  end: '<|call|>',
  body: { kind: 'separated', separator: '<|message|>' },
  text: {
    open: '',
    begin: '<|channel|>commentary to=functions.NAME <|constrain|>json<|message|>',
    end: '<|call|>',
    between: '<|start|>assistant',
    close: '',
  },
}
