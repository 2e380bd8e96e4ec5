// y (T, N) = x (T, K) . w^T, w (N, K), the matmul of prefill. A workgroup makes a tile of 64 tokens by TILE_N rows;
// each invocation 4 tokens by 4 pairs of rows of it, from registers. 16 of K are staged at a time: the weights are
// dequantised once a tile, and the next are on their way while these are multiplied.
#import shared/batch
#import weight/${WEIGHT}
#import matmul/output/${OUTPUT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(6) var<storage, read> batch: Batch;

const TILE_T = 64u;
const X_PITCH = TILE_T + 2u; // the two keep the quarters of a group off each other's banks
override TILE_N: u32; // 64 or 128
override WG: u32 = TILE_N * 2u;
override HALF_N: u32 = TILE_N / 2u;
override PAIRS: u32 = TILE_N / 8u; // invocations side by side
override W_SIZE: u32 = 4u * TILE_N;
var<workgroup> x_tile: array<vec4f, 4u * X_PITCH>; // (4, tokens)
var<workgroup> w_tile: array<vec4f, W_SIZE>;       // (4, 2, rows): even rows, then odd ones

fn plus_dot(sum: f32, a: vec4f, b: vec4f) -> f32 {
  return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

fn plus_dots(sums: vec4f, rows: mat4x4f, x: vec4f) -> vec4f {
  return vec4f(
    plus_dot(sums.x, x, rows[0]), plus_dot(sums.y, x, rows[1]), plus_dot(sums.z, x, rows[2]), plus_dot(sums.w, x, rows[3]));
}

// Plus a quarter of what is staged: the sums of four tokens by two pairs of rows. Called for each quarter, since compilers
// leave a loop between barriers as it is.
fn products(c: u32, tt: u32, n: u32, sums: mat4x4f) -> mat4x4f {
  let w = c * TILE_N + n;
  let rows = mat4x4f(w_tile[w], w_tile[w + HALF_N], w_tile[w + PAIRS], w_tile[w + PAIRS + HALF_N]);
  let x = c * X_PITCH + tt;
  return mat4x4f(
    plus_dots(sums[0], rows, x_tile[x]), plus_dots(sums[1], rows, x_tile[x + 16u]),
    plus_dots(sums[2], rows, x_tile[x + 32u]), plus_dots(sums[3], rows, x_tile[x + 48u]));
}

fn put(token: u32, row: u32, low: vec4f, high: vec4f) {
  if (token >= batch.n_rows) { return; }
  output_pair(token, row, low.x, low.y);
  output_pair(token, row + 2u * PAIRS, low.z, low.w);
  output_pair(token, row + 4u * PAIRS, high.x, high.y);
  output_pair(token, row + 6u * PAIRS, high.z, high.w);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = workgroup.x * TILE_N;
  let t0 = workgroup.y * TILE_T;
  let n_tokens = batch.n_rows;
  // This invocation's tokens are tt + 16 i, its pairs of rows tn + PAIRS k.
  let tt = t / PAIRS;
  let tn = t % PAIRS;
  let w_row = min(n0 + t, N - 1u);
  let w_at = t % 2u * HALF_N + t / 2u;
  var low: mat4x4f; // a column a token
  var high: mat4x4f;
  var w_next: mat4x4f;
  var x_next: array<vec4f, 2>;
  for (var j = 0u; j <= K16; j++) {
    if (j > 0u) {
      if (t < TILE_N) { for (var c = 0u; c < 4u; c++) { w_tile[c * TILE_N + w_at] = w_next[c]; } }
      for (var i = 0u; i < 256u / WG; i++) { x_tile[t % 4u * X_PITCH + (t + i * WG) / 4u] = x_next[i]; }
      workgroupBarrier();
    }
    if (j < K16) {
      if (t < TILE_N) { w_next = weight_values(weight16(w_row, j)); }
      for (var i = 0u; i < 256u / WG; i++) {
        x_next[i] = x[(min(t0 + (t + i * WG) / 4u, n_tokens - 1u) * K16 + j) * 4u + t % 4u];
      }
    }
    if (j > 0u) {
      low = products(0u, tt, tn, low);
      high = products(0u, tt, tn + 2u * PAIRS, high);
      low = products(1u, tt, tn, low);
      high = products(1u, tt, tn + 2u * PAIRS, high);
      low = products(2u, tt, tn, low);
      high = products(2u, tt, tn + 2u * PAIRS, high);
      low = products(3u, tt, tn, low);
      high = products(3u, tt, tn + 2u * PAIRS, high);
      workgroupBarrier();
    }
  }
  put(t0 + tt, n0 + 2u * tn, low[0], high[0]);
  put(t0 + tt + 16u, n0 + 2u * tn, low[1], high[1]);
  put(t0 + tt + 32u, n0 + 2u * tn, low[2], high[2]);
  put(t0 + tt + 48u, n0 + 2u * tn, low[3], high[3]);
}
