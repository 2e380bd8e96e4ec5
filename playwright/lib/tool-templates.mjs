// Small chat templates, one for each way in which models write calls, and a tokenizer that has some models' tokens.
import { F32, i32s, strings } from './gguf.mjs';
import { describe, writeShape } from './shapes.mjs';

const TOOLS = '{% for t in tools or [] %}{{ t.function | tojson }}\n{% endfor %}';
/** A template: what an assistant says is `reply`, and a call is `call`, between `open` and `close`. */
const chatml = ({ open = '', call, separator = '', close = '', thought = '', prompt = '' }) =>
  `${TOOLS}{% for m in messages %}<|im_start|>{{ m.role }}\n${thought}{{ m.content }}{% if m.tool_calls %}${open}` +
  `{% for c in m.tool_calls %}${call}{% if not loop.last %}${separator}{% endif %}{% endfor %}${close}{% endif %}<|im_end|>\n{% endfor %}` +
  `{% if add_generation_prompt %}<|im_start|>assistant\n${prompt}{% endif %}`;

const OBJECT = '{"name": "{{ c.function.name }}", "arguments": {{ c.function.arguments | tojson }}}';
const PARAMETERS = (open, middle, close) =>
  `{% for key, value in c.function.arguments.items() %}${open}{{ key }}${middle}{{ value if value is string else value | tojson }}${close}{% endfor %}`;
const THOUGHT = '{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}';

/** Templates by what calls are in them. */
export const TEMPLATES = {
  'objects, each in its tags': chatml({ call: `\n<tool_call>\n${OBJECT}\n</tool_call>` }),
  'objects, after reasoning': chatml({ call: `\n<tool_call>\n${OBJECT}\n</tool_call>`, thought: THOUGHT, prompt: '<think>\n' }),
  'objects, arguments as text': chatml({ call: '<tool_call>{"name": "{{ c.function.name }}", "arguments": {{ "" + c.function.arguments }}}</tool_call>' }),
  'an array': chatml({ open: '<|tool_call|>[', call: OBJECT, separator: ', ', close: ']<|/tool_call|>' }),
  'an array without an end': chatml({ open: ' functools[', call: OBJECT, separator: ', ', close: ']' }),
  'objects with the name as key': chatml({ open: '<|tools_prefix|>[', call: '{"{{ c.function.name }}": {{ c.function.arguments | tojson }}}', separator: ', ', close: ']<|tools_suffix|>' }),
  'bare objects': chatml({ call: '{"name": "{{ c.function.name }}", "parameters": {{ c.function.arguments | tojson }}}', separator: '; ' }),
  'names and objects': chatml({ call: '[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}' }),
  'names, ids and objects': chatml({ call: '[TOOL_CALLS]{{ c.function.name }}[CALL_ID]{{ c.id }}[ARGS]{{ c.function.arguments | tojson }}' }),
  'names in tags': chatml({ call: '<function={{ c.function.name }}>{{ c.function.arguments | tojson }}</function>' }),
  'numbered names in a section': chatml({
    open: '<|tool_calls_section_begin|>',
    call: '<|tool_call_begin|>functions.{{ c.function.name }}:{{ loop.index0 }}<|tool_call_argument_begin|>{{ c.function.arguments | tojson }}<|tool_call_end|>',
    close: '<|tool_calls_section_end|>',
  }),
  'blocks of code': chatml({
    open: '<｜tool▁calls▁begin｜>',
    call: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>{{ c.function.name }}\n```json\n{{ c.function.arguments | tojson }}\n```<｜tool▁call▁end｜>',
    separator: '\n',
    close: '<｜tool▁calls▁end｜>',
  }),
  'parameters in lines': chatml({ call: `\n<tool_call>\n<function={{ c.function.name }}>\n${PARAMETERS('<parameter=', '>\n', '\n</parameter>\n')}</function>\n</tool_call>` }),
  'parameters in tags': chatml({ call: `<tool_call>{{ c.function.name }}${PARAMETERS('<arg_key>', '</arg_key><arg_value>', '</arg_value>')}</tool_call>` }),
  'parameters with attributes': chatml({
    open: '\n\n<｜DSML｜tool_calls>\n',
    call:
      '<｜DSML｜invoke name="{{ c.function.name }}">\n{% for key, value in c.function.arguments.items() %}<｜DSML｜parameter name="{{ key }}" string="{{ "true" if value is string else "false" }}">' +
      '{{ value if value is string else value | tojson }}</｜DSML｜parameter>\n{% endfor %}</｜DSML｜invoke>\n',
    close: '</｜DSML｜tool_calls>',
  }),
  'messages in channels': `${TOOLS}{% for m in messages %}{% if m.role == 'assistant' %}{% if m.thinking %}<|start|>assistant<|channel|>analysis<|message|>{{ m.thinking }}<|end|>{% endif %}` +
    '{% if m.content %}<|start|>assistant<|channel|>final<|message|>{{ m.content }}<|end|>{% endif %}' +
    '{% for c in m.tool_calls or [] %}<|start|>assistant<|channel|>commentary to=functions.{{ c.function.name }} <|constrain|>json<|message|>{{ c.function.arguments | tojson }}<|call|>{% endfor %}' +
    '{% else %}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% endif %}',
};

/** A template that knows tools, but no calls. */
export const DEAF = chatml({ call: '' });

/** Write a model whose vocabulary has these tokens, as control tokens. */
export function writeWithTokens(path, special) {
  const { metadata } = describe('tiny', F32);
  const tokens = [...metadata['tokenizer.ggml.tokens'].value];
  tokens.splice(-special.length, special.length, ...special);
  writeShape(path, 'tiny', F32, {
    'tokenizer.ggml.tokens': strings(tokens),
    'tokenizer.ggml.token_type': i32s(tokens.map((token) => (token === '<|endoftext|>' || special.includes(token) ? 3 : 1))),
  });
}
