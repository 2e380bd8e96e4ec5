// Mean and inverse deviation of each channel of x (T, C) over time: statistics (2, C). A workgroup has 16 channels, 64 invocations
// share four of them. The mean first, then the variance about it: one pass over sums of squares would cancel.
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override X_PITCH: u32; // vec4f from one row to the next
override C4: u32;      // vectors of channels
override EPS: f32;
const STATISTICS_WG = 256u;
var<workgroup> sums: array<vec4f, STATISTICS_WG>;

fn total(v: vec4f, t: u32) -> vec4f {
  workgroupBarrier(); // the sums before have been read
  sums[t] = v;
  workgroupBarrier();
  for (var o = 128u; o >= 4u; o >>= 1u) {
    if (t < o) { sums[t] += sums[t + o]; }
    workgroupBarrier();
  }
  return sums[t % 4u];
}

@compute @workgroup_size(STATISTICS_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n4 = workgroup.x * 4u + t % 4u;
  let c = min(n4, C4 - 1u);
  var sum: vec4f;
  for (var row = t / 4u; row < x_len; row += 64u) { sum += x[row * X_PITCH + c]; }
  let mean = total(sum, t) / f32(x_len);
  var squares: vec4f;
  for (var row = t / 4u; row < x_len; row += 64u) {
    let v = x[row * X_PITCH + c] - mean;
    squares += v * v;
  }
  let variance = total(squares, t) / f32(x_len);
  if (t < 4u && n4 < C4) {
    y[n4] = mean;
    y[C4 + n4] = 1.0 / sqrt(variance + vec4f(EPS));
  }
}
