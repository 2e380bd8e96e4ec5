// Rows of a table, looked up and dequantised: x (T, C) = table[index]. INDEX says which row a token takes:
// tokens start the residual stream, learned positions add to it.
#import shared/elements
#import shared/batch
#import weight/${WEIGHT}
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
#ifdef INDEX_token
@group(0) @binding(9) var<storage, read> tokens: array<u32>;
#else
@group(0) @binding(6) var<storage, read> batch: Batch;
#endif
override N: u32;         // rows of this part of the table
override ROW0: u32; // its first row
override SCALE: f32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let j = at.x;
  let t = at.y;
#ifdef INDEX_token
  let row = tokens[t] - ROW0;
#else
  let row = batch.pos + t - ROW0;
#endif
  // A table beyond one binding comes in parts, a dispatch each: only the part with the row writes.
  if (j >= K16 || row >= N) { return; }
  let v = weight_values(weight16(row, j));
  let i = (t * K16 + j) * 4u;
  for (var c = 0u; c < 4u; c++) {
#ifdef INDEX_position
    x[i + c] += v[c] * SCALE;
#else
    x[i + c] = v[c] * SCALE;
#endif
  }
}
