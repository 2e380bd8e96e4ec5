// y (T, N) = x (T, K) . w^T, w (N, K), the matmul of prefill. A workgroup makes a tile of 64 tokens by TILE_N rows;
// each invocation 4 tokens by 4 pairs of rows of it, from registers. 16 of K are staged at a time: the weights are
// dequantised once a tile, and the next are on their way while these are multiplied.
#import shared/state
#import shared/workgroup
#import weight/${WEIGHT}
#import output/${OUTPUT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(6) var<storage, read> state: State;

const TILE_T = 64u;
const X_PITCH = TILE_T + 2u; // the two keep the quarters of a group off each other's banks
override TILE_N: u32 = WG / 2u;
override HALF_N: u32 = TILE_N / 2u;
override PAIRS: u32 = TILE_N / 8u; // invocations side by side
override W_SIZE: u32 = 4u * TILE_N;
var<workgroup> x_tile: array<vec4f, 4u * X_PITCH>; // (4, tokens)
var<workgroup> w_tile: array<vec4f, W_SIZE>;       // (4, 2, rows): even rows, then odd ones

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = workgroup.x * TILE_N;
  let t0 = workgroup.y * TILE_T;
  let n_tokens = state.n_tokens;
  // This invocation's tokens are tt + 16 i, its pairs of rows tn + PAIRS k.
  let tt = t / PAIRS;
  let tn = t % PAIRS;
  let w_row = min(n0 + t, N - 1u);
  let w_at = t % 2u * HALF_N + t / 2u;
  var acc: array<vec4f, 8>;
  var w_next: mat4x4f;
  var x_next: array<vec4f, 2>; // WG is 128 at least
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
      for (var c = 0u; c < 4u; c++) {
        let w = c * TILE_N + tn;
        let a0 = w_tile[w];
        let b0 = w_tile[w + HALF_N];
        let a1 = w_tile[w + PAIRS];
        let b1 = w_tile[w + PAIRS + HALF_N];
        let a2 = w_tile[w + 2u * PAIRS];
        let b2 = w_tile[w + 2u * PAIRS + HALF_N];
        let a3 = w_tile[w + 3u * PAIRS];
        let b3 = w_tile[w + 3u * PAIRS + HALF_N];
        for (var i = 0u; i < 4u; i++) {
          let xi = x_tile[c * X_PITCH + tt + 16u * i];
          acc[2u * i] += vec4f(dot(xi, a0), dot(xi, b0), dot(xi, a1), dot(xi, b1));
          acc[2u * i + 1u] += vec4f(dot(xi, a2), dot(xi, b2), dot(xi, a3), dot(xi, b3));
        }
      }
      workgroupBarrier();
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let token = t0 + tt + 16u * i;
    if (token < n_tokens) {
      let row = n0 + 2u * tn;
      output_pair(token, row, acc[2u * i].x, acc[2u * i].y);
      output_pair(token, row + 2u * PAIRS, acc[2u * i].z, acc[2u * i].w);
      output_pair(token, row + 4u * PAIRS, acc[2u * i + 1u].x, acc[2u * i + 1u].y);
      output_pair(token, row + 6u * PAIRS, acc[2u * i + 1u].z, acc[2u * i + 1u].w);
    }
  }
}
