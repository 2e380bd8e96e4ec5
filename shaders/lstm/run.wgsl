// An LSTM over time in both directions, a workgroup each: y (T, 2 H), forwards and backwards side by side. What the input gives to the
// gates is there already: gates (T, 2 4 H), of each direction the input, output, forget and cell gates. An invocation has a unit, its
// four gates and its cell. Recurrent weights w are codes i8 with a scale a direction, (2, H / 4, H): four gates of a unit by four
// elements of the state.
#import shared/quant/bytes
#import shared/sigmoid
@group(0) @binding(0) var<storage, read> gates: array<f32>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(2) var<storage, read> w: array<vec4u>;
@group(0) @binding(3) var<storage, read> w_sc: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override H: u32; // a multiple of 4
override H4: u32 = H / 4u;
override Y_PITCH: u32; // elements from one row of y to the next
var<workgroup> made: array<f32, H>;
var<workgroup> state: array<vec4f, H4>;

@compute @workgroup_size(H)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) unit: u32) {
  let direction = workgroup.x;
  let scale = w_sc[direction];
  let first = direction * H4 * H + unit;
  var cell = 0.0;
  if (unit < H4) { state[unit] = vec4f(0.0); }
  workgroupBarrier();
  for (var i = 0u; i < x_len; i++) {
    let row = select(i, x_len - 1u - i, direction == 1u);
    var sums = vec4f(0.0);
    for (var k = 0u; k < H4; k++) {
      let codes = w[first + k * H];
      let h = state[k];
      sums += vec4f(dot(i8x4(codes.x), h), dot(i8x4(codes.y), h), dot(i8x4(codes.z), h), dot(i8x4(codes.w), h));
    }
    let g = (row * 2u + direction) * 4u * H + unit;
    let v = fma(sums, vec4f(scale), vec4f(gates[g], gates[g + H], gates[g + 2u * H], gates[g + 3u * H]));
    cell = sigmoid(v.z) * cell + sigmoid(v.x) * tanh_exact(v.w);
    let h = sigmoid(v.y) * tanh_exact(cell);
    y[row * Y_PITCH + direction * H + unit] = h;
    // A component of a vector can't be written by itself, so the state is put together from what all have made.
    made[unit] = h;
    workgroupBarrier();
    if (unit < H4) { state[unit] = vec4f(made[4u * unit], made[4u * unit + 1u], made[4u * unit + 2u], made[4u * unit + 3u]); }
    workgroupBarrier();
  }
}
