// Columns of all rows of y (T, .) from one vector: y[t][Y_COL4 ..] = v
#import shared/elements
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(11) var<uniform> y_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override X_COL4: u32; // where v starts in x
override C4: u32;     // its vectors
override Y_PITCH: u32;
override Y_COL4: u32;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= y_len * C4) { return; }
  y[at.x / C4 * Y_PITCH + Y_COL4 + at.x % C4] = x[X_COL4 + at.x % C4];
}
