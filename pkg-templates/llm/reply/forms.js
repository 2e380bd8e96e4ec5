// How models write calls and reasoning, where their templates do not show it.

/** Markers around calls, as learn.js finds them: of all calls of a reply, of one call, and between. */
const form = (syntax, { section = {}, open = [], between = [], close = [], separator = ',', ...more }) => ({
  syntax,
  section: { open: [], close: [], ...section },
  open,
  between,
  close,
  separator,
  ...more,
});

/**
 * By a token that the model's vocabulary has for it; the first one counts. The texts that begin a call, for calls that are
 * forced, are `forced`.
 */
export const FORMS = [
  ['<|tool_call_start|>', form('python', {
    section: { open: ['<|tool_call_start|>', '['], close: [']', '<|tool_call_end|>'] },
    forced: { head: '<|tool_call_start|>[', middle: '(' },
  })],
  ['<tool_call>', form('json', {
    open: ['<tool_call>'],
    close: ['</tool_call>'],
    forced: { head: '<tool_call>\n{"name": "', middle: '", "arguments": ', tail: '}\n</tool_call>' },
  })],
  ['[TOOL_CALLS]', form('json', {
    section: { open: ['[TOOL_CALLS]', '['], close: [']'] },
    forced: { head: '[TOOL_CALLS][{"name": "', middle: '", "arguments": ', tail: '}]' },
  })],
  ['<｜tool▁calls▁begin｜>', form('json', {
    section: { open: ['<｜tool▁calls▁begin｜>'], close: ['<｜tool▁calls▁end｜>'] },
    open: ['<｜tool▁call▁begin｜>', 'function', '<｜tool▁sep｜>'],
    between: ['```json'],
    close: ['```', '<｜tool▁call▁end｜>'],
    forced: { head: '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>', middle: '\n```json\n', tail: '\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>' },
  })],
  ['<|tool_calls_section_begin|>', form('json', {
    section: { open: ['<|tool_calls_section_begin|>'], close: ['<|tool_calls_section_end|>'] },
    open: ['<|tool_call_begin|>', 'functions.'],
    between: ['<|tool_call_argument_begin|>'],
    close: ['<|tool_call_end|>'],
    forced: { head: '<|tool_calls_section_begin|><|tool_call_begin|>functions.', middle: ':0<|tool_call_argument_begin|>', tail: '<|tool_call_end|><|tool_calls_section_end|>' },
  })],
  ['<|tool_call|>', form('json', { section: { open: ['<|tool_call|>', '['], close: [']', '<|/tool_call|>'] }, forced: { head: '<|tool_call|>[{"name": "', middle: '", "arguments": ', tail: '}]' } })],
];

/** Bare JSON: of Llama 3, and of models that know no syntax but hear of tools in the prompt. Some write a marker before it. */
export const BARE = form('json', {
  section: { open: ['<|python_tag|>'] },
  separator: ';',
  bare: true,
  forced: { head: '{"name": "', middle: '", "parameters": ', tail: '}' },
});

/**
 * Families whose replies are messages in channels, by the end of a prompt; what begins a call, as above; what ends reasoning.
 */
export const CHANNELS = [
  {
    name: 'harmony',
    prompt: /<\|start\|>assistant$/,
    forced: { head: '<|channel|>commentary to=functions.', middle: ' <|constrain|>json<|message|>', tail: '<|call|>' },
    answer: '<|end|><|start|>assistant<|channel|>final<|message|>',
  },
  { name: 'functionary', prompt: />>>$/, forced: { head: '', middle: '\n', tail: '' } },
];

/** What models reason between, by the tokens for it. */
export const REASONING = [
  ['<think>', '</think>'],
  ['[THINK]', '[/THINK]'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<|channel>thought', '<channel|>'],
  ['<|inner_prefix|>', '<|inner_suffix|>'],
  ['<seed:think>', '</seed:think>'],
].map(([open, close]) => ({ open, close }));

/** Prompts that end in reasoning which no marker began. */
export const BEGUN = [['Here are my reasoning steps:', '[BEGIN FINAL RESPONSE]']].map(([open, close]) => ({ open, close }));
