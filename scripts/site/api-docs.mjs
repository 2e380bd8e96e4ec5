// The API reference, docs/api/, from the package's types. `npm run site` and the tests of the docs call it.
import { rmSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';

import { ROOT } from '../server.mjs';

// TypeDoc reads types through TypeScript's JavaScript API, which version 7 no longer has.
const hook = "export const resolve = (name, context, next) => next(name === 'typescript' ? 'typescript-6' : name, context);";
register(`data:text/javascript,${encodeURIComponent(hook)}`);

/** What the entries of the package are imported as, by their types' file. */
const ENTRIES = { index: 'webgguf', embed: 'webgguf/embed', hands: 'webgguf/hands', speech: 'webgguf/speech', react: 'webgguf/react', openai: 'webgguf/openai', 'ai-sdk': 'webgguf/ai-sdk' };

/** Write docs/api/. */
export async function writeApi() {
  const { Application } = await import('typedoc');
  const out = join(ROOT, 'docs/api');
  rmSync(out, { recursive: true, force: true });
  const app = await Application.bootstrapWithPlugins({
    entryPoints: Object.keys(ENTRIES).map((name) => join(ROOT, `pkg-templates/${name}.d.ts`)),
    tsconfig: join(ROOT, 'docs/tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    outputs: [{ name: 'markdown', path: out }],
    name: 'API',
    readme: 'none',
    router: 'kind',
    entryFileName: 'index',
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    indexFormat: 'table',
    parametersFormat: 'table',
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
  });
  const project = await app.convert();
  for (const entry of project?.children ?? []) entry.name = ENTRIES[entry.name];
  if (project) await app.generateOutputs(project);
  if (!project || app.logger.hasErrors()) throw new Error('the API reference could not be made: see above');
}
