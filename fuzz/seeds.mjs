// Seeds for the fuzz targets, of what the repository has: headers of its models and vocabularies, chat
// templates, a TFLite file, and ONNX files that are written here.
// Usage: node fuzz/seeds.mjs
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';

const FUZZ = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(FUZZ);
/** Larger ones are mutated too slowly. */
const MAX_BYTES = 100_000;

/** What chat templates are made of. */
const TEMPLATES = [
  "{% for m in messages %}<|{{ m.role }}|>{{ m['content'] | trim }}\n{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}",
  "{%- set ns = namespace(last=0, found=false) -%}\n{%- for m in messages[::-1] %}{%- if loop.first and m.role == 'tool' -%}" +
    '{%- set ns.found = true -%}{%- set ns.last = loop.index0 -%}{%- endif -%}{%- endfor -%}{{ ns.last }}',
  "{% macro call(f, indent=2) %}{{ f.name }}({{ f.arguments | tojson(indent=indent) }}){% endmacro %}{% for t in tools or [] %}" +
    "{{ call({'name': t.function.name, 'arguments': t}) }}{% endfor %}",
  "{{ raise_exception('roles must alternate') if messages[0]['role'] != 'user' else bos_token }}",
  "{{ strftime_now('%d %b %Y %H:%M') }}{{ 'a,b'.split(',')[-1].upper().strip().replace('B', 'c', 1) }}{{ '%s-%03d' | format('x', 7) }}",
  "{% for k, v in messages[2].tool_calls[0].function.arguments.items() %}{{ k ~ ': ' ~ v | string }}{% break %}{% endfor %}",
  "{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | join(', ') }}{{ messages | length // 2 % 3 }}",
  "{% if '</think>' in messages[2].content %}{{ messages[2].content.split('</think>')[-1].lstrip('\\n') }}{% endif %}{# x #}",
  "{% generation %}{% raw %}{{ x }}{% endraw %}{% endgeneration %}{% set x %}a{% endset %}{{ x is string and x is defined }}",
];

/** Bytes of a metadata value by its type; strings and arrays have their own. */
const SIZES = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8];

/** Where the header of a GGUF file ends, and its metadata that is text. */
function readHeader(file) {
  let at = 4 + 4;
  const u32 = () => file.readUInt32LE((at += 4) - 4);
  const u64 = () => Number(file.readBigUInt64LE((at += 8) - 8));
  const string = () => {
    const length = u64();
    return file.toString('utf8', at, (at += length));
  };
  const value = (type) => {
    if (type === 8) return string();
    if (type !== 9) return void (at += SIZES[type]);
    const of = u32();
    for (let n = u64(); n > 0; n--) value(of);
  };
  const [nTensors, nPairs] = [u64(), u64()];
  const texts = {};
  for (let i = 0; i < nPairs; i++) {
    const key = string();
    texts[key] = value(u32());
  }
  for (let i = 0; i < nTensors; i++) {
    string();
    for (let n = u32(); n > 0; n--) u64();
    u32();
    u64();
  }
  return { end: at, texts };
}

function write(target, name, bytes) {
  const folder = join(FUZZ, 'corpus', target);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), bytes);
}

function* files(folder, ext) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* files(path, ext);
    else if (name.endsWith(ext)) yield path;
  }
}

/** A zip of one file, stored as it is. */
function bundle(name, data) {
  const numbers = (format) => Buffer.concat(format.map(([n, bytes]) => (bytes === 4 ? u32(n) : u32(n).subarray(0, bytes))));
  const u32 = (n) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(n);
    return bytes;
  };
  // Version, flags, method, time and date, checksum, sizes, lengths of the name and of extra fields.
  const common = [[20, 2], [0, 2], [0, 2], [0, 4], [crc32(data), 4], [data.length, 4], [data.length, 4], [name.length, 2], [0, 2]];
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), numbers(common), Buffer.from(name), data]);
  // The directory's record has a version before, and behind a comment, disk, attributes and where the file is.
  const rest = [[0, 2], [0, 2], [0, 2], [0, 4], [0, 4]];
  const record = Buffer.concat([Buffer.from('PK\x01\x02'), numbers([[20, 2], ...common, ...rest]), Buffer.from(name)]);
  const end = numbers([[0, 2], [0, 2], [1, 2], [1, 2], [record.length, 4], [local.length, 4], [0, 2]]);
  return Buffer.concat([local, record, Buffer.from('PK\x05\x06'), end]);
}

/** A field of a message of Protocol Buffers: a number, or what has a length. */
function field(number, value) {
  const varint = (v) => (v < 128 ? [v] : [(v % 128) + 128, ...varint(Math.floor(v / 128))]);
  if (typeof value === 'number') return Buffer.from([...varint(number * 8), ...varint(value)]);
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

/** ONNX files: a product with quantised weights, and a branch with tensors and attributes of all kinds. */
function onnxFiles() {
  const tensor = (name, type, dims, ...data) => field(5, [...dims.map((n) => field(1, n)), field(2, type), field(8, name), ...data]);
  const raw = (bytes) => field(9, Buffer.alloc(bytes, 3));
  const node = (type, inputs, outputs, ...attributes) =>
    field(1, [...inputs.map((i) => field(1, i)), ...outputs.map((o) => field(2, o)), field(3, `/${type}`), field(4, type), ...attributes]);
  const attribute = (name, type, value) => field(5, [field(1, name), value, field(20, type)]);
  const port = (number, name) => field(number, [field(1, name), field(2, [field(1, [field(1, 1), field(2, [field(1, [field(2, 'n')])])])])]);
  const model = (graph, ...more) =>
    Buffer.concat([field(1, 8), field(2, 'seeds'), field(7, graph), field(8, [field(1, ''), field(2, 17)]), field(14, [field(1, 'a'), field(2, 'b')]), ...more]);
  const branch = (name) => field(6, [node('Identity', ['x'], [name]), field(2, name), port(12, name)]);
  const constants = [
    tensor('raw', 1, [300], raw(1200)),
    tensor('floats', 1, [2], field(4, Buffer.alloc(8, 1))),
    tensor('codes', 2, [3], field(5, 1), field(5, 200), field(5, 3)),
    tensor('longs', 7, [2], field(7, Buffer.from([1, 0x80, 2]))),
    tensor('doubles', 11, [1], field(10, Buffer.alloc(8))),
    tensor('unsigned', 13, [1], field(11, 9)),
    tensor('texts', 8, [1], field(6, 'text')),
    tensor('elsewhere', 1, [9], field(13, [field(1, 'location'), field(2, 'x.bin')]), field(14, 1)),
  ];
  const attributes = [
    attribute('i', 2, field(3, 5)),
    attribute('s', 3, field(4, 'same')),
    attribute('ints', 7, field(8, Buffer.from([1, 2, 0x80, 1]))),
    attribute('floats', 6, field(7, Buffer.alloc(8, 2))),
    attribute('strings', 8, field(9, 'a')),
    attribute('t', 4, tensor('', 6, [1], field(5, 7))),
  ];
  return {
    quantized: model([
      node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
      node('MatMulInteger', ['xq', 'w', 'xz', 'z'], ['y']),
      tensor('w', 3, [40, 30], raw(1200)),
      tensor('z', 3, [30], raw(30)),
      port(11, 'x'),
      port(12, 'y'),
    ]),
    branch: model([
      node('If', ['x'], ['y'], attribute('then_branch', 5, branch('a')), attribute('else_branch', 5, branch('b'))),
      node('All', ['y', '', 'raw'], ['z'], ...attributes),
      ...constants,
      port(11, 'x'),
      port(12, 'z'),
    ]),
  };
}

let n = 0;
for (const path of [...files(join(ROOT, 'www/models'), '.gguf'), ...files(join(ROOT, 'tests/fixtures'), '.gguf')]) {
  const file = readFileSync(path);
  const { end, texts } = readHeader(file);
  const name = basename(path, '.gguf');
  for (const [key, text] of Object.entries(texts)) if (key.startsWith('tokenizer.chat_template')) write('template', name, text);
  if (end > MAX_BYTES) continue;
  for (const target of ['parser', 'metadata', 'tokenizer']) write(target, name, file.subarray(0, end + 64));
  n++;
}
for (const path of files(join(ROOT, 'tests/fixtures/tflite'), '.tflite')) {
  const file = readFileSync(path);
  write('tflite', basename(path), file);
  write('tflite', 'bundle.task', bundle('a.tflite', file));
}
for (const [name, bytes] of Object.entries(onnxFiles())) write('onnx', `${name}.onnx`, bytes);
TEMPLATES.forEach((text, i) => write('template', `template-${i}`, text));
console.log(`${n} headers`);
