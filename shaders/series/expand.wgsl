// y (T', C) = x[rows]: each row as many times as it has frames.
#import shared/elements
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(9) var<storage, read> rows: array<u32>; // (T')
@group(0) @binding(11) var<uniform> y_len: u32; // T'
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override C4: u32; // vectors of a row
override X_PITCH: u32;
override Y_PITCH: u32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= y_len * C4) { return; }
  let t = at.x / C4;
  y[t * Y_PITCH + at.x % C4] = x[rows[t] * X_PITCH + at.x % C4];
}
