// The clients that others wrote, as one script that a test's page imports, and a model for them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'vite';

import { ROOT } from '../../scripts/server.mjs';
import { withChatTemplate } from './gguf.mjs';

const TEMPLATE = `{% for tool in tools or [] %}{{ tool.function.name }}
{% endfor %}{% for m in messages %}{{ m.role }}: {{ m.content }}{% for call in m.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}
{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}`;

/** The embedded model with a chat template whose calls can be forced. */
export function writeCallingModel(path) {
  writeFileSync(path, withChatTemplate(readFileSync(join(ROOT, 'www/models/embedded.gguf')), TEMPLATE));
}

/** Write `clients/clients.js` into a folder. */
export async function writeClients(folder) {
  const entry = join(folder, 'clients-entry.js');
  const from = (name) => JSON.stringify(join(ROOT, 'node_modules', name));
  const sdk = ['DirectChatTransport', 'ToolLoopAgent', 'generateObject', 'generateText', 'isStepCount', 'jsonSchema', 'streamText', 'tool'];
  writeFileSync(entry, `export { default as OpenAI } from ${from('openai/index.mjs')};\nexport { ${sdk} } from ${from('ai/dist/index.js')};\n`);
  await build({
    root: folder,
    configFile: false,
    logLevel: 'warn',
    build: { lib: { entry, formats: ['es'], fileName: () => 'clients.js' }, outDir: join(folder, 'clients'), minify: false },
  });
}
