// Writes the Unicode tables of src/tokenizer/unicode from the Unicode data of this Node's ICU:
//
//     node scripts/text/unicode_tables.mjs
//
// categories.bin: the general category of every code point, as runs in code point order. A run is one byte
// (category in bits 0-4, length - 1 in bits 5-7), where length - 1 is 7 or more followed by the rest as LEB128.
//
// bases.bin: what is left of a character when its canonical decomposition loses its nonspacing marks, for each
// character that this changes, Hangul syllables (which are computed) left out. An entry is the distance from the
// last entry's character and the zigzag distance from the character to its base, both LEB128; a distance of 0
// gives the next base character of the same character.
import { writeFileSync } from 'node:fs';

const UNICODE_VERSION = '17.0';
if (process.versions.unicode !== UNICODE_VERSION) {
  throw new Error(`this Node has Unicode ${process.versions.unicode}, the tables are of ${UNICODE_VERSION}`);
}

// The order is that of `Category` in src/tokenizer/unicode/category.rs.
const CATEGORIES =
  'Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn'.split(' ');
const MAX = 0x10ffff;
const isSurrogate = (c) => c >= 0xd800 && c <= 0xdfff;
const isHangul = (c) => c >= 0xac00 && c <= 0xd7a3;

function leb128(out, n) {
  for (; n >= 0x80; n >>= 7) out.push((n & 0x7f) | 0x80);
  out.push(n);
}

function categories() {
  const tests = CATEGORIES.map((name) => new RegExp(`^\\p{gc=${name}}$`, 'u'));
  const of = (c) => tests.findIndex((test) => test.test(String.fromCodePoint(c)));
  const out = [];
  for (let start = 0; start <= MAX; ) {
    const category = of(start);
    let end = start + 1;
    while (end <= MAX && of(end) === category) end++;
    const extra = end - start - 1;
    out.push(category | (Math.min(extra, 7) << 5));
    if (extra >= 7) leb128(out, extra - 7);
    start = end;
  }
  return out;
}

function bases() {
  const out = [];
  let last = 0;
  for (let c = 0; c <= MAX; c++) {
    if (isSurrogate(c) || isHangul(c)) continue;
    const char = String.fromCodePoint(c);
    // A nonspacing mark is dropped whatever it decomposes to.
    if (/^\p{Mn}$/u.test(char)) continue;
    const base = char.normalize('NFD').replace(/\p{Mn}/gu, '');
    if (base === char) continue;
    for (const b of base) {
      const distance = b.codePointAt(0) - c;
      leb128(out, c - last);
      leb128(out, distance < 0 ? -2 * distance - 1 : 2 * distance);
      last = c;
    }
  }
  return out;
}

const folder = new URL('../../src/tokenizer/unicode/', import.meta.url);
for (const [name, table] of [['categories.bin', categories()], ['bases.bin', bases()]]) {
  writeFileSync(new URL(name, folder), Uint8Array.from(table));
  console.log(`${name}: ${table.length} bytes`);
}
