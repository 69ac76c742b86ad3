/** The families' formats. Sources: their published chat templates (test/fixtures/templates), and for MiniCPM3 and Youtu
 * the parsers of vLLM and ms-swift. */
import type { CallFormat, ChatFormat, FormatName } from './format.ts'
import { BRACKETS, THINK, THOUGHT } from './reasoning-marks.ts'

const TOOL_RESPONSE = { begin: '<tool_response>\n', end: '\n</tool_response>' }

const GENERIC: CallFormat = {
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

const DEEPSEEK_V3: CallFormat = {
  ...DEEPSEEK_MARKS,
  text: {
    open: '<｜tool▁calls▁begin｜>',
    begin: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME\n```json\n',
    end: '\n```<｜tool▁call▁end｜>',
    between: '\n',
    close: '<｜tool▁calls▁end｜>',
  },
}

const DEEPSEEK_V31: CallFormat = {
  ...DEEPSEEK_MARKS,
  text: {
    open: '<｜tool▁calls▁begin｜>',
    begin: '<｜tool▁call▁begin｜>NAME<｜tool▁sep｜>',
    end: '<｜tool▁call▁end｜>',
    between: '',
    close: '<｜tool▁calls▁end｜>',
  },
}

const DEEPSEEK_V32: CallFormat = {
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

const KIMI: CallFormat = {
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

const GLM_MARKS = {
  section: null,
  begin: '<tool_call>',
  end: '</tool_call>',
  body: {
    kind: 'pairs',
    nameEnd: ['\n', '<arg_key>', '</tool_call>'],
    keyBegin: '<arg_key>',
    keyEnd: '</arg_key>',
    valueBegin: '<arg_value>',
    valueEnd: '</arg_value>',
    lines: false,
  },
} as const

function glm(line: string): CallFormat {
  const value = { begin: `<arg_key>KEY</arg_key>${line}<arg_value>`, end: `</arg_value>${line}` }
  return {
    ...GLM_MARKS,
    text: {
      open: line,
      begin: `<tool_call>NAME${line}`,
      end: '</tool_call>',
      between: line,
      close: '',
      argument: { text: value, json: value, between: '' },
    },
  }
}

function tagged(line: string): CallFormat {
  return {
    section: null,
    begin: '<tool_call>',
    end: '</tool_call>',
    body: { kind: 'object', arguments: 'arguments' },
    text: {
      open: '',
      begin: `<tool_call>${line}{"name": "NAME", "arguments": `,
      end: `}${line}</tool_call>`,
      between: line,
      close: '',
    },
  }
}

const CODER_VALUE = { begin: '<parameter=KEY>\n', end: '\n</parameter>\n' }

const QWEN_CODER: CallFormat = {
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

const LLAMA: CallFormat = {
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

const MINICPM: CallFormat = {
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

const MISTRAL: CallFormat = {
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

const DEEPSEEK_RESULT = {
  begin: '<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>',
  end: '<｜tool▁output▁end｜><｜tool▁outputs▁end｜>',
}

const ROWS: readonly ChatFormat[] = [
  { name: 'generic', reasoning: THINK, calls: GENERIC, result: { begin: 'Result of NAME (ID):\n', end: '' } },
  { name: 'deepseek-v2', reasoning: THINK, calls: GENERIC, result: { begin: 'Result of NAME (ID):\n', end: '' } },
  { name: 'gemma', reasoning: THINK, calls: GENERIC, result: { begin: 'Result of NAME (ID):\n', end: '' } },
  { name: 'deepseek-v3', reasoning: THINK, calls: DEEPSEEK_V3, result: DEEPSEEK_RESULT },
  {
    name: 'deepseek-v3.1',
    reasoning: THINK,
    calls: DEEPSEEK_V31,
    result: { begin: '<｜tool▁output▁begin｜>', end: '<｜tool▁output▁end｜>' },
  },
  {
    name: 'deepseek-v3.2',
    reasoning: THINK,
    calls: DEEPSEEK_V32,
    result: { begin: '<function_results>\n<result>', end: '</result>\n</function_results>' },
  },
  { name: 'kimi-k2', reasoning: THINK, calls: KIMI, result: { begin: '## Return of ID\n', end: '' } },
  { name: 'glm-4.5', reasoning: THINK, calls: glm('\n'), result: TOOL_RESPONSE },
  { name: 'glm-4.7', reasoning: THINK, calls: glm(''), result: { begin: '<tool_response>', end: '</tool_response>' } },
  { name: 'hermes', reasoning: THINK, calls: tagged('\n'), result: TOOL_RESPONSE },
  { name: 'qwen3-coder', reasoning: THINK, calls: QWEN_CODER, result: TOOL_RESPONSE },
  { name: 'llama-3', reasoning: THINK, calls: LLAMA, result: { begin: 'Result of NAME:\n', end: '' } },
  {
    name: 'minicpm3',
    reasoning: THOUGHT,
    calls: MINICPM,
    result: { begin: 'Result of NAME:\n', end: '' },
  },
  {
    name: 'youtu',
    reasoning: THINK,
    calls: tagged(''),
    result: { begin: '<tool_response>', end: '</tool_response>' },
  },
  {
    name: 'mistral',
    reasoning: BRACKETS,
    calls: MISTRAL,
    result: { begin: '[TOOL_RESULTS]', end: '[/TOOL_RESULTS]' },
  },
]

const FORMATS: ReadonlyMap<FormatName, ChatFormat> = new Map(ROWS.map(row => [row.name, row]))

export function chatFormat(name: FormatName): ChatFormat {
  return FORMATS.get(name) as ChatFormat
}
