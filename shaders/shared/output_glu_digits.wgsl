// As output_glu, and the results in digits, too, as input/digits has them. They are gathered until there are whole groups.
#import shared/activation
#import shared/digits
@group(0) @binding(4) var<storage, read_write> y: array<u32>;
override N: u32;        // rows of the weights, gate and up
override Y_STRIDE: u32; // elements of a row of y
override MADE: u32 = WG / LANES * ROWS / 2u; // results of a workgroup; a multiple of 16
var<workgroup> made: array<f32, MADE>;

fn output_pair(t: u32, row: u32, gate: f32, up: f32) {
  made[row / 2u % MADE] = select(0.0, glu_act(gate) * up, row < N);
}

fn output_end(row0: u32, t: u32) {
  workgroupBarrier();
  let at = min(4u * t, MADE - 4u);
  let v = vec4f(made[at], made[at + 1u], made[at + 2u], made[at + 3u]);
  let d = digits(v, t);
  let sum = quad_sum(dot(v, vec4f(1.0)), t);
  let e = row0 / 2u + 4u * t;
  if (4u * t >= MADE || e >= Y_STRIDE) { return; }
  let bits = bitcast<vec4u>(v);
  for (var i = 0u; i < 4u; i++) { y[e + i] = bits[i]; }
  let word = Y_STRIDE + e / 4u;
  y[word] = d.high;
  y[word + Y_STRIDE / 4u] = d.mid;
  y[word + Y_STRIDE / 2u] = d.low;
  if (t % 4u == 0u) {
    let unit = Y_STRIDE / 4u * 7u + e / 8u;
    y[unit] = bitcast<u32>(d.unit);
    y[unit + 1u] = bitcast<u32>(sum);
  }
}
