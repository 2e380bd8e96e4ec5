// As output_glu, and the results in digits, too. They are gathered until there are whole groups.
#import shared/activation
#import shared/quant/digits
#import shared/quant/digits_layout
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
  let groups = Y_STRIDE / 16u;
  let j = e / 16u;
  let quarter = e / 4u % 4u;
  y[digits_at(0u, groups, j) * 4u + quarter] = d.high;
  y[digits_at(1u, groups, j) * 4u + quarter] = d.mid;
  y[digits_at(2u, groups, j) * 4u + quarter] = d.low;
  if (quarter == 0u) {
    let unit = units_at(groups, j) * 4u + j % 2u * 2u;
    y[unit] = bitcast<u32>(d.unit);
    y[unit + 1u] = bitcast<u32>(sum);
  }
}
