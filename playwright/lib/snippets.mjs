// The code in Markdown files, type-checked as the modules that readers make of it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../../scripts/server.mjs';

const CDN = /https:\/\/cdn\.jsdelivr\.net\/npm\/webgguf(@[\d.]+)?\/index\.js/g;

/** The blocks of a Markdown text: language, code, and the line that it starts at. Of HTML, its module scripts. */
export function snippets(text) {
  const blocks = [...text.matchAll(/^```(ts|tsx|js|html)\b[^\n]*\n([^]*?)^```$/gm)].map(({ 1: language, 2: code, index }) => ({
    language,
    code,
    line: text.slice(0, index).split('\n').length + 1,
  }));
  return blocks.flatMap(({ language, code, line }) => {
    if (language !== 'html') return [{ language, code, line }];
    const scripts = [...code.matchAll(/<script type="module">([^]*?)<\/script>/g)];
    return scripts.map((m) => ({ language, code: m[1], line: line + code.slice(0, m.index).split('\n').length - 1 }));
  });
}

/** Type-check the code of Markdown files, `paths` from the repository's root. Returns TypeScript's complaints, by line. */
export function checkSnippets(paths, temp) {
  const folder = join(temp, 'snippets');
  mkdirSync(folder, { recursive: true });
  const blocks = paths.flatMap((path) => snippets(readFileSync(join(ROOT, path), 'utf8')).map((block) => ({ ...block, path })));
  const files = blocks.map(({ language, code }, i) => {
    const file = `${i}.${language === 'tsx' ? 'tsx' : 'ts'}`;
    writeFileSync(join(folder, file), `${code.replace(CDN, 'webgguf')}\nexport {};\n`);
    return file;
  });
  const config = {
    extends: join(ROOT, 'docs/tsconfig.json'),
    compilerOptions: {
      jsx: 'react-jsx',
      paths: {
        webgguf: [join(ROOT, 'pkg-templates/index.d.ts')],
        'webgguf/*': [join(ROOT, 'pkg-templates/*')],
        ai: [join(ROOT, 'node_modules/ai/dist/index.d.ts')],
        openai: [join(ROOT, 'node_modules/openai/index.d.mts')],
        'react/*': [join(ROOT, 'node_modules/@types/react/*')],
      },
    },
    files: [...files, join(ROOT, 'docs/snippets.d.ts')],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  let complaints = '';
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { cwd: folder, encoding: 'utf8' });
  } catch (e) {
    complaints = e.stdout || e.message;
  }
  const where = (_, i, line) => `${blocks[i].path}:${blocks[i].line + Number(line) - 1}: `;
  return { count: blocks.length, complaints: complaints.replace(/^(\d+)\.tsx?\((\d+),\d+\): /gm, where).trim() };
}
