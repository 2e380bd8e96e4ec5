// The rows that a network of texts starts from: x (T, C) = token_embd[id] + position_embd[place] + type_embd. The places of
// a text's tokens are counted from its first, and all tokens are of type 0.
#import shared/elements
#import weight/${WEIGHT}
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> position_embd: array<vec4f>;
@group(0) @binding(7) var<storage, read> type_embd: array<vec4f>;
@group(0) @binding(9) var<storage, read> packed_rows: array<vec2u>; // id and place
override N: u32;    // rows of this part of the tokens' table
override ROW0: u32; // its first row

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let j = at.x;
  let t = at.y;
  let row = packed_rows[t].x - ROW0;
  // A table beyond one binding comes in parts, a dispatch each: only the part with the row writes.
  if (j >= K16 || row >= N) { return; }
  let v = weight_values(weight16(row, j));
  let place = (packed_rows[t].y * K16 + j) * 4u;
  for (var c = 0u; c < 4u; c++) {
    x[(t * K16 + j) * 4u + c] = v[c] + position_embd[place + c] + type_embd[j * 4u + c];
  }
}
