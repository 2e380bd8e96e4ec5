// y (B, C): of each text the mean of some of its rows of x (T, C): all of them, the first or the last. The host lists their
// first and their end; what it lists beyond the last text is empty.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(9) var<storage, read> pooled_rows: array<vec2u>;
override C4: u32; // vec4f of a row

const POOL_WG = 64u;

@compute @workgroup_size(POOL_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let rows = pooled_rows[at.y];
  if (at.x >= C4 || rows.x >= rows.y) { return; }
  var sum = vec4f(0.0);
  for (var t = rows.x; t < rows.y; t++) { sum += x[t * C4 + at.x]; }
  y[at.y * C4 + at.x] = sum / f32(rows.y - rows.x);
}
