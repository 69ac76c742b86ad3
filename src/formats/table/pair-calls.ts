/** Calls whose arguments stand each for itself. */
import type { CallFormat } from './format.ts'

export const DEEPSEEK_V32: CallFormat = {
  section: {
    begin: ['<｜DSML｜function_calls>', '<｜DSML｜tool_calls>'],
    end: ['</｜DSML｜function_calls>', '</｜DSML｜tool_calls>'],
  },
  begin: '<｜DSML｜invoke name="',
  end: '</｜DSML｜invoke>',
  body: {
    kind: 'pairs',
    nameEnd: ['">'],
    keyBegin: '<｜DSML｜parameter name="',
    keyEnd: '>',
    valueBegin: '',
    valueEnd: '</｜DSML｜parameter>',
    lines: false,
  },
  text: {
    open: '<｜DSML｜function_calls>\n',
    begin: '<｜DSML｜invoke name="NAME">\n',
    end: '</｜DSML｜invoke>',
    between: '\n',
    close: '\n</｜DSML｜function_calls>',
    argument: {
      text: { begin: '<｜DSML｜parameter name="KEY" string="true">', end: '</｜DSML｜parameter>\n' },
      json: { begin: '<｜DSML｜parameter name="KEY" string="false">', end: '</｜DSML｜parameter>\n' },
      between: '',
    },
  },
}

/** `line`: what is beside the tags; `prefix`: in front of their names. */
export function glm(line: string, prefix = ''): CallFormat {
  const [call, key, given] = [`${prefix}tool_call`, `${prefix}arg_key`, `${prefix}arg_value`]
  const value = { begin: `<${key}>KEY</${key}>${line}<${given}>`, end: `</${given}>${line}` }
  return {
    section: null,
    begin: `<${call}>`,
    end: `</${call}>`,
    body: {
      kind: 'pairs',
      nameEnd: ['\n', `<${key}>`, `</${call}>`],
      keyBegin: `<${key}>`,
      keyEnd: `</${key}>`,
      valueBegin: `<${given}>`,
      valueEnd: `</${given}>`,
      lines: false,
    },
    text: {
      open: line,
      begin: `<${call}>NAME${line}`,
      end: `</${call}>`,
      between: line,
      close: '',
      argument: { text: value, json: value, between: '' },
    },
  }
}

const CODER_VALUE = { begin: '<parameter=KEY>\n', end: '\n</parameter>\n' }

export const QWEN_CODER: CallFormat = {
  section: { begin: ['<tool_call>'], end: ['</tool_call>'] },
  begin: '<function=',
  end: '</function>',
  body: {
    kind: 'pairs',
    nameEnd: ['>'],
    keyBegin: '<parameter=',
    keyEnd: '>',
    valueBegin: '',
    valueEnd: '</parameter>',
    lines: true,
  },
  text: {
    open: '',
    begin: '<tool_call>\n<function=NAME>\n',
    end: '</function>\n</tool_call>',
    between: '\n',
    close: '',
    argument: { text: CODER_VALUE, json: CODER_VALUE, between: '' },
  },
}

export const MINICPM: CallFormat = {
  section: { begin: ['<|tool_call_start|>'], end: ['<|tool_call_end|>'] },
  begin: '',
  end: '',
  body: { kind: 'python' },
  text: {
    open: '<|tool_call_start|>\n```python\n',
    begin: 'NAME(',
    end: ')',
    between: '\n',
    close: '\n```\n<|tool_call_end|>',
    argument: { text: { begin: 'KEY=', end: '' }, json: { begin: 'KEY=', end: '' }, between: ', ' },
  },
}

export const LFM2: CallFormat = {
  section: { begin: ['<|tool_call_start|>'], end: ['<|tool_call_end|>'] },
  begin: '',
  end: '',
  body: { kind: 'python' },
  text: {
    open: '<|tool_call_start|>[',
    begin: 'NAME(',
    end: ')',
    between: ', ',
    close: ']<|tool_call_end|>',
    argument: { text: { begin: 'KEY=', end: '' }, json: { begin: 'KEY=', end: '' }, between: ', ' },
  },
}

export const GEMMA_4: CallFormat = {
  section: null,
  begin: '<|tool_call>',
  end: '<tool_call|>',
  body: { kind: 'quoted', prefix: 'call:', quote: '<|"|>' },
  text: {
    open: '',
    begin: '<|tool_call>call:NAME{',
    end: '}<tool_call|>',
    between: '',
    close: '',
    argument: {
      text: { begin: 'KEY:<|"|>', end: '<|"|>' },
      json: { begin: 'KEY:', end: '' },
      between: ',',
    },
  },
}
