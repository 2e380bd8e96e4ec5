// y (T, N) = x (T, K) . w^T, w (N, K), the matmul of prefill. A workgroup makes a tile of TILE_T tokens by 64 rows, each
// invocation 4 or 8 tokens by 4 pairs of rows of it, as sums of outer products in registers. 16 of K are staged at a time,
// one after the other: the weights are dequantised once a tile, a row by each invocation, and the next are on their way
// while these are multiplied.
#import shared/batch
#import weight/${WEIGHT}
#import matmul/output/${OUTPUT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(6) var<storage, read> batch: Batch;

override TILE_T: u32; // 32 or 64
const TILE_N = 64u;   // as many as invocations
const PAIRS = 8u;     // invocations side by side; 8 are one above the other
const N4 = TILE_N / 4u;
override T4: u32 = TILE_T / 4u;
override X_SIZE: u32 = 16u * T4;
var<workgroup> x_tile: array<vec4f, X_SIZE>;   // (16, tokens): those of one vector are 8 apart
var<workgroup> w_tile: array<vec4f, 16u * N4>; // (16, rows): two pairs of rows, 8 pairs apart, a vector

fn plus_outer(sums: mat4x4f, tokens: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(tokens.x), rows, sums[0]), fma(vec4f(tokens.y), rows, sums[1]),
    fma(vec4f(tokens.z), rows, sums[2]), fma(vec4f(tokens.w), rows, sums[3]));
}

fn stage_w(c: u32, at: u32, part: u32, w: vec4f) {
  let i = 4u * c * N4 + at;
  w_tile[i][part] = w.x;
  w_tile[i + N4][part] = w.y;
  w_tile[i + 2u * N4][part] = w.z;
  w_tile[i + 3u * N4][part] = w.w;
}

fn stage_x(c: u32, token: u32, v: vec4f) {
  let i = 4u * c * T4 + token / 32u * 8u + token % 8u;
  let part = token / 8u % 4u;
  x_tile[i][part] = v.x;
  x_tile[i + T4][part] = v.y;
  x_tile[i + 2u * T4][part] = v.z;
  x_tile[i + 3u * T4][part] = v.w;
}

fn x_values(at: vec4u) -> mat4x4f {
  if (TILE_T == 32u) { return mat4x4f(x[at.x], x[at.y], vec4f(), vec4f()); }
  return mat4x4f(x[at.x], x[at.y], x[at.z], x[at.w]);
}

fn put(token: u32, row: u32, low: vec4f, high: vec4f) {
  if (token >= batch.n_rows) { return; }
  output_pair(token, row, low.x, low.y);
  output_pair(token, row + 2u * PAIRS, low.z, low.w);
  output_pair(token, row + 4u * PAIRS, high.x, high.y);
  output_pair(token, row + 6u * PAIRS, high.z, high.w);
}

fn put4(token: u32, row: u32, low: mat4x4f, high: mat4x4f) {
  put(token, row, low[0], high[0]);
  put(token + 8u, row, low[1], high[1]);
  put(token + 16u, row, low[2], high[2]);
  put(token + 24u, row, low[3], high[3]);
}

@compute @workgroup_size(TILE_N)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = workgroup.x * TILE_N;
  let t0 = workgroup.y * TILE_T;
  let last = batch.n_rows - 1u;
  // This invocation's tokens are tt + 8 i, its pairs of rows tn + PAIRS k.
  let tt = t / PAIRS;
  let tn = t % PAIRS;
  // What it stages: a row of the weights, and a quarter of every 16th token.
  let w_row = min(n0 + t, N - 1u);
  let pair = t / 2u / PAIRS;
  let w_at = pair / 2u * PAIRS + t / 2u % PAIRS;
  let w_part = pair % 2u * 2u + t % 2u;
  let x_c = t % 4u;
  let x_token = t / 4u;
  let x_at = (min(t0 + x_token + vec4u(0u, 16u, 32u, 48u), vec4u(last)) * K16 * 4u) + x_c;

  // Sums: a column a token, `low` of the first two pairs of rows, `high` of the others; then those of the tokens from 32.
  var low: mat4x4f;
  var high: mat4x4f;
  var low2: mat4x4f;
  var high2: mat4x4f;
  var x4: vec4f;  // of four tokens
  var w_l: vec4f; // of the first two pairs of rows, one K
  var w_h: vec4f; // of the others
  var w_next = weight_values(weight16(w_row, 0u));
  var x_next = x_values(x_at);
  for (var j = 1u; j <= K16; j++) {
    stage_w(0u, w_at, w_part, w_next[0]);
    stage_w(1u, w_at, w_part, w_next[1]);
    stage_w(2u, w_at, w_part, w_next[2]);
    stage_w(3u, w_at, w_part, w_next[3]);
    stage_x(x_c, x_token, x_next[0]);
    stage_x(x_c, x_token + 16u, x_next[1]);
    if (TILE_T > 32u) {
      stage_x(x_c, x_token + 32u, x_next[2]);
      stage_x(x_c, x_token + 48u, x_next[3]);
    }
    workgroupBarrier();
    if (j < K16) {
      w_next = weight_values(weight16(w_row, j));
      x_next = x_values(x_at + 4u * j);
    }
    // Written out: in a loop, or a function that returns its sums, this takes an eighth to a fifth more time.
    #repeat C 16
    x4 = x_tile[${C} * T4 + tt]; w_l = w_tile[${C} * N4 + tn]; w_h = w_tile[${C} * N4 + tn + PAIRS];
    low = plus_outer(low, x4, w_l); high = plus_outer(high, x4, w_h);
    if (TILE_T > 32u) { x4 = x_tile[${C} * T4 + tt + 8u]; low2 = plus_outer(low2, x4, w_l); high2 = plus_outer(high2, x4, w_h); }
    #endrepeat
    workgroupBarrier();
  }
  put4(t0 + tt, n0 + 2u * tn, low, high);
  if (TILE_T > 32u) { put4(t0 + tt + 32u, n0 + 2u * tn, low2, high2); }
}
