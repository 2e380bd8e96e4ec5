// x (T, C) = table[tokens], codes i8 with a scale a row. With positions, plus positions[t] and the same for all.
#import shared/elements
#import shared/quant/bytes
@group(0) @binding(9) var<storage, read> tokens: array<u32>;
@group(0) @binding(2) var<storage, read> w_qs: array<u32>;
@group(0) @binding(3) var<storage, read> w_sc: array<f32>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override C4: u32; // vectors of a row
#ifdef POSITIONS_learned
@group(0) @binding(7) var<storage, read> position_qs: array<u32>;
@group(0) @binding(8) var<storage, read> position_sc: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= x_len * C4) { return; }
  let t = at.x / C4;
  let c = at.x % C4;
  let token = tokens[t];
  var v = i8x4(w_qs[token * C4 + c]) * w_sc[token];
#ifdef POSITIONS_learned
  v += i8x4(position_qs[at.x]) * position_sc[t] + bias[c];
#endif
  y[at.x] = v;
}
