// A random model that speaks ChatML, in tokens that no tokenizer would choose.
import { F32, i32s, strings } from './gguf.mjs';
import { describe, writeShape } from './shapes.mjs';

const CHATML = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

/** The random model with the tokens and the templates of a chat model. */
export function writeChatModel(path) {
  const { metadata } = describe('tiny', F32);
  const tokens = [...metadata['tokenizer.ggml.tokens'].value];
  const special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  tokens.splice(-2, 2, ...special.slice(1));
  writeShape(path, 'tiny', F32, {
    'tokenizer.ggml.tokens': strings(tokens),
    'tokenizer.ggml.token_type': i32s(tokens.map((token) => (special.includes(token) ? 3 : 1))),
    'tokenizer.chat_template': CHATML,
    'tokenizer.chat_template.tool_use': `{{ tools | tojson }}\n${CHATML}`,
  });
}
