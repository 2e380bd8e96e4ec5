// Attention of all rows to all rows: y (T, HEADS D) from qkv (T, 3 HEADS D), D = 64, T up to MAX_ROWS. A workgroup has four queries of a
// head, and all their scores in its memory.
@group(0) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(10) var<uniform> x_len: u32; // T
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override HEADS: u32;
override ROW4: u32 = HEADS * 16u; // vec4f of q, k or v of a row
override SCORE_SCALE: f32;
const MAX_ROWS = 512u;
const QUERIES = 4u;
const ATTENTION_WG = 64u;
var<workgroup> q: array<vec4f, 64>; // (queries, 16)
var<workgroup> scores: array<vec4f, MAX_ROWS>; // a component a query
var<workgroup> scratch: array<vec4f, ATTENTION_WG>;

@compute @workgroup_size(ATTENTION_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let head = workgroup.x;
  let first = workgroup.y * QUERIES;
  q[t] = qkv[min(first + t / 16u, x_len - 1u) * 3u * ROW4 + head * 16u + t % 16u] * SCORE_SCALE;
  workgroupBarrier();
  var top = vec4f(-3.0e38);
  for (var row = t; row < x_len; row += ATTENTION_WG) {
    let k = (row * 3u + 1u) * ROW4 + head * 16u;
    var s = vec4f(0.0);
    for (var i = 0u; i < 16u; i++) {
      let v = qkv[k + i];
      s += vec4f(dot(v, q[i]), dot(v, q[16u + i]), dot(v, q[32u + i]), dot(v, q[48u + i]));
    }
    scores[row] = s;
    top = max(top, s);
  }
  scratch[t] = top;
  workgroupBarrier();
  for (var o = ATTENTION_WG / 2u; o > 0u; o >>= 1u) {
    if (t < o) { scratch[t] = max(scratch[t], scratch[t + o]); }
    workgroupBarrier();
  }
  top = scratch[0];
  workgroupBarrier();
  var sum = vec4f(0.0);
  for (var row = t; row < x_len; row += ATTENTION_WG) {
    let p = exp(max(scores[row] - top, vec4f(-80.0)));
    scores[row] = p;
    sum += p;
  }
  scratch[t] = sum;
  workgroupBarrier();
  for (var o = ATTENTION_WG / 2u; o > 0u; o >>= 1u) {
    if (t < o) { scratch[t] += scratch[t + o]; }
    workgroupBarrier();
  }
  // An invocation has a vector of four elements for a quarter of the rows, and all queries.
  let d = t % 16u;
  var sums: mat4x4f; // a column a query
  for (var row = t / 16u; row < x_len; row += 4u) {
    let v = qkv[(row * 3u + 2u) * ROW4 + head * 16u + d];
    let p = scores[row];
    sums += mat4x4f(v * p.x, v * p.y, v * p.z, v * p.w);
  }
  let total = scratch[0];
  for (var i = 0u; i < QUERIES; i++) {
    workgroupBarrier(); // what was there has been read
    scratch[t] = sums[i];
    workgroupBarrier();
    if (first + i < x_len) {
      let e = t / 4u;
      let v = scratch[e] + scratch[16u + e] + scratch[32u + e] + scratch[48u + e];
      y[(first + i) * 4u * ROW4 + head * 64u + t] = v[t % 4u] / total[i];
    }
  }
}
