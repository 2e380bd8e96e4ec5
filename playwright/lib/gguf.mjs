// Writes GGUF files, sound and unsound. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md

const ALIGNMENT = 32;
export const F32 = 0;
export const F16 = 1;
export const Q8_0 = 8;

/** Metadata values carry their GGUF type; a plain string is a string. */
export const u16 = (value) => ({ type: 2, value });
export const u32 = (value) => ({ type: 4, value });
export const f32 = (value) => ({ type: 6, value });
export const bool = (value) => ({ type: 7, value });
export const u64 = (value) => ({ type: 10, value });
export const i64 = (value) => ({ type: 11, value });
export const f64 = (value) => ({ type: 12, value });
export const i32s = (value) => ({ type: 9, of: 5, value });
export const strings = (value) => ({ type: 9, of: 8, value });

class Writer {
  parts = [];
  length = 0;

  push(buffer) {
    this.parts.push(buffer);
    this.length += buffer.length;
  }

  number(method, size, value) {
    const buffer = Buffer.alloc(size);
    buffer[method](value);
    this.push(buffer);
  }

  u32(value) {
    this.number('writeUInt32LE', 4, value);
  }

  u64(value) {
    this.number('writeBigUInt64LE', 8, BigInt(value));
  }

  string(text) {
    const bytes = Buffer.from(text);
    this.u64(bytes.length);
    this.push(bytes);
  }

  value(type, value) {
    if (type === 2) this.number('writeUInt16LE', 2, value);
    else if (type === 4) this.u32(value);
    else if (type === 5) this.number('writeInt32LE', 4, value);
    else if (type === 6) this.number('writeFloatLE', 4, value);
    else if (type === 7) this.push(Buffer.of(value ? 1 : 0));
    else if (type === 8) this.string(value);
    else if (type === 10) this.u64(value);
    else if (type === 11) this.number('writeBigInt64LE', 8, value);
    else if (type === 12) this.number('writeDoubleLE', 8, value);
    else throw new Error(`metadata type ${type}`);
  }
}

const align = (n) => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

/** Elements of a block, and its bytes. */
export const BLOCKS = { [F32]: [1, 4], [F16]: [1, 2], [Q8_0]: [32, 34] };

export function bytesOf({ type, shape }) {
  const [elems, bytes] = BLOCKS[type] ?? BLOCKS[F32];
  return (shape.reduce((a, b) => a * b) / elems) * bytes;
}

/**
 * The header of a file, up to where its data starts.
 * @param {Record<string, unknown>} metadata
 * @param {{ name: string, type: number, shape: number[], offset?: number }[]} tensors
 *     shapes outermost first; `offset` in place of the next one
 * @param {{ nTensors?: number | bigint, nMetadata?: number | bigint }} lies  counts in place of the true ones
 */
export function header(metadata, tensors, { nTensors, nMetadata } = {}) {
  const w = new Writer();
  w.push(Buffer.from('GGUF'));
  w.u32(3);
  w.u64(nTensors ?? tensors.length);
  w.u64(nMetadata ?? Object.keys(metadata).length);
  for (const [key, entry] of Object.entries(metadata)) {
    const { type, of, value } = typeof entry === 'string' ? { type: 8, value: entry } : entry;
    w.string(key);
    w.u32(type);
    if (type === 9) {
      w.u32(of);
      w.u64(value.length);
      for (const item of value) w.value(of, item);
    } else {
      w.value(type, value);
    }
  }
  let offset = 0;
  for (const t of tensors) {
    w.string(t.name);
    w.u32(t.shape.length);
    for (const n of t.shape.toReversed()) w.u64(n);
    w.u32(t.type);
    w.u64(t.offset ?? offset);
    offset += align(bytesOf(t));
  }
  w.push(Buffer.alloc(align(w.length) - w.length));
  return Buffer.concat(w.parts);
}

/** A file with a chat template of its own; spaces in a comment of the template keep the data where its alignment wants it. */
export function withChatTemplate(file, template) {
  const entry = (text) => {
    const w = new Writer();
    w.string('tokenizer.chat_template');
    w.u32(8);
    w.string(text);
    return Buffer.concat(w.parts);
  };
  const shortest = entry(`${template}{##}`).length;
  const text = `${template}{#${' '.repeat(align(shortest) - shortest)}#}`;
  // After the magic and the version come the counts of tensors and of metadata.
  const head = Buffer.from(file.subarray(0, 24));
  head.writeBigUInt64LE(head.readBigUInt64LE(16) + 1n, 16);
  return Buffer.concat([head, entry(text), file.subarray(24)]);
}

export { align };
