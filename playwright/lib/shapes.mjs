// Model files with real models' shapes and seeded random weights: neither memory nor speed depends on the values.
import { closeSync, openSync, writeSync } from 'node:fs';

import { BLOCKS, F16, F32, Q8_0, align, bytesOf, f32, header, i32s, strings, u16, u32 } from './gguf.mjs';

/** A byte-level BPE vocabulary: the bytes, and filler. */
function tokenizer(nVocab) {
  // GPT-2's alphabet: printable Latin-1 stands for itself, other bytes for what follows U+0100.
  const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
  const tokens = ['<|endoftext|>', ...bytes];
  while (tokens.length < nVocab) tokens.push(`<t${tokens.length}>`);
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': strings(tokens),
    'tokenizer.ggml.token_type': i32s(tokens.map((_, i) => (i === 0 ? 3 : 1))),
    'tokenizer.ggml.merges': strings([]),
    'tokenizer.ggml.bos_token_id': u32(0),
    'tokenizer.ggml.eos_token_id': u32(0),
  };
}

function llama({ nLayer, nEmbd, nHead, nHeadKv, nFf, nVocab }, type) {
  const nKv = (nEmbd / nHead) * nHeadKv;
  const matrix = (name, rows, columns) => ({ name: `${name}.weight`, type, shape: [rows, columns] });
  const vector = (name) => ({ name: `${name}.weight`, type: F32, shape: [nEmbd] });
  const tensors = [matrix('token_embd', nVocab, nEmbd), vector('output_norm')];
  for (let l = 0; l < nLayer; l++) {
    const at = `blk.${l}.`;
    tensors.push(
      vector(`${at}attn_norm`),
      matrix(`${at}attn_q`, nEmbd, nEmbd),
      matrix(`${at}attn_k`, nKv, nEmbd),
      matrix(`${at}attn_v`, nKv, nEmbd),
      matrix(`${at}attn_output`, nEmbd, nEmbd),
      vector(`${at}ffn_norm`),
      matrix(`${at}ffn_gate`, nFf, nEmbd),
      matrix(`${at}ffn_up`, nFf, nEmbd),
      matrix(`${at}ffn_down`, nEmbd, nFf),
    );
  }
  const metadata = {
    'llama.attention.head_count_kv': u32(nHeadKv),
    'llama.attention.layer_norm_rms_epsilon': f32(1e-5),
    'llama.rope.freq_base': f32(1e5),
  };
  return { tensors, metadata };
}

function gpt2({ nLayer, nEmbd, nFf, nVocab, nCtx }, type) {
  const matrix = (name, rows, columns) => [
    { name: `${name}.weight`, type, shape: [rows, columns] },
    { name: `${name}.bias`, type: F32, shape: [rows] },
  ];
  const norm = (name) => ['weight', 'bias'].map((part) => ({ name: `${name}.${part}`, type: F32, shape: [nEmbd] }));
  const tensors = [
    { name: 'token_embd.weight', type, shape: [nVocab, nEmbd] },
    { name: 'position_embd.weight', type: F32, shape: [nCtx, nEmbd] },
    ...norm('output_norm'),
  ];
  for (let l = 0; l < nLayer; l++) {
    const at = `blk.${l}.`;
    tensors.push(
      ...norm(`${at}attn_norm`),
      ...matrix(`${at}attn_qkv`, 3 * nEmbd, nEmbd),
      ...matrix(`${at}attn_output`, nEmbd, nEmbd),
      ...norm(`${at}ffn_norm`),
      ...matrix(`${at}ffn_up`, nFf, nEmbd),
      ...matrix(`${at}ffn_down`, nEmbd, nFf),
    );
  }
  return { tensors, metadata: { 'gpt2.attention.layer_norm_epsilon': f32(1e-5) } };
}

const SHAPES = {
  'smollm2-135m': [llama, { nLayer: 30, nEmbd: 576, nHead: 9, nHeadKv: 3, nFf: 1536, nVocab: 49152, nCtx: 8192 }],
  'gpt2-124m': [gpt2, { nLayer: 12, nEmbd: 768, nHead: 12, nFf: 3072, nVocab: 50257, nCtx: 1024 }],
  'small': [llama, { nLayer: 4, nEmbd: 256, nHead: 4, nHeadKv: 2, nFf: 1024, nVocab: 8192, nCtx: 512 }],
  'tiny': [llama, { nLayer: 2, nEmbd: 64, nHead: 4, nHeadKv: 2, nFf: 128, nVocab: 320, nCtx: 128 }],
};

/** Metadata and tensors of a shape, as `header` takes them. */
export function describe(shape, type) {
  const [build, dims] = SHAPES[shape];
  const { tensors, metadata } = build(dims, type);
  const arch = build.name;
  return {
    tensors,
    metadata: {
      'general.architecture': arch,
      'general.name': `random ${shape}`,
      [`${arch}.block_count`]: u32(dims.nLayer),
      [`${arch}.context_length`]: u32(dims.nCtx),
      [`${arch}.embedding_length`]: u32(dims.nEmbd),
      [`${arch}.feed_forward_length`]: u32(dims.nFf),
      [`${arch}.attention.head_count`]: u32(dims.nHead),
      ...metadata,
      ...tokenizer(dims.nVocab),
    },
  };
}

/** A whole number of blocks of every type. */
const POOL_BYTES = 34 << 17;

/** Random values of about +-2^exponent: bits of sign and mantissa, made without arithmetic. */
function pool(type, exponent, seed) {
  const words = new Uint32Array(POOL_BYTES / 4);
  const [keep, set] = {
    [F32]: [0x807fffff, (127 + exponent) << 23],
    [F16]: [0x83ff83ff, ((15 + exponent) << 10) * 0x10001],
    [Q8_0]: [0xffffffff, 0],
  }[type];
  let x = seed;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13; // xorshift32 (Marsaglia 2003)
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = (x & keep) | set;
  }
  const bytes = Buffer.from(words.buffer);
  // The scale of a block, for quants of up to 127.
  if (type === Q8_0) for (let at = 0; at < bytes.length; at += 34) bytes.writeUInt16LE((15 + exponent - 6) << 10, at);
  return bytes;
}

function ones(n) {
  return Buffer.from(new Float32Array(n).fill(1).buffer);
}

/** The bytes of a tensor, in pieces. */
function* data(tensor, pools, at) {
  const total = bytesOf(tensor);
  if (tensor.shape.length === 1) {
    yield tensor.name.endsWith('.weight') ? ones(tensor.shape[0]) : Buffer.alloc(total);
  } else {
    // Columns of a matrix of standard deviation columns^-0.5 keep the activations' scale.
    const exponent = Math.round(Math.log2(tensor.shape[1] ** -0.5));
    const key = `${tensor.type} ${exponent}`;
    if (!pools.has(key)) pools.set(key, pool(tensor.type, exponent, 7));
    // Another piece of the pool each time: no two tensors alike.
    const block = Math.max(4, BLOCKS[tensor.type][1]);
    let from = Math.floor(((at * 97) % POOL_BYTES) / block) * block;
    for (let left = total; left > 0; ) {
      const piece = pools.get(key).subarray(from, Math.min(POOL_BYTES, from + left));
      yield piece;
      left -= piece.length;
      from = 0;
    }
  }
  yield Buffer.alloc(align(total) - total);
}

/** Write a file of this metadata and these tensors. Returns its size in bytes. */
function writeFile(path, metadata, tensors) {
  const file = openSync(path, 'w');
  const pools = new Map();
  let at = 0;
  const write = (buffer) => {
    for (let done = 0; done < buffer.length; ) done += writeSync(file, buffer, done);
    at += buffer.length;
  };
  write(header(metadata, tensors));
  // Values follow from where a tensor would be in one file: a split model has those of the whole.
  for (const tensor of tensors) for (const piece of data(tensor, pools, tensor.seed)) write(piece);
  closeSync(file);
  return at;
}

function seeded(tensors) {
  let seed = 0;
  return tensors.map((tensor) => ({ ...tensor, seed: (seed += bytesOf(tensor)) }));
}

/** Write a file of this shape and type, with `changes` to its metadata. Returns its size in bytes. */
export function writeShape(path, shape, type, changes = {}) {
  const { metadata, tensors } = describe(shape, type);
  return writeFile(path, { ...metadata, ...changes }, seeded(tensors));
}

/** Write the same model as `n` files, `BASE-00001-of-0000N.gguf`; `changes(i)` to the metadata of file i. */
export function writeSplit(base, shape, type, n, changes = () => ({})) {
  const { metadata, tensors } = describe(shape, type);
  const all = seeded(tensors);
  const each = Math.ceil(all.length / n);
  const number = (i) => String(i).padStart(5, '0');
  for (let i = 0; i < n; i++) {
    const split = { 'split.no': u16(i), 'split.count': u16(n), 'split.tensors.count': { type: 5, value: all.length } };
    const own = { ...(i === 0 ? metadata : {}), ...split, ...changes(i) };
    writeFile(`${base}-${number(i + 1)}-of-${number(n)}.gguf`, own, all.slice(i * each, (i + 1) * each));
  }
}
