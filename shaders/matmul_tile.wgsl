// y (T, N) = x (T, K) . w^T, w (N, K), the matmul of prefill. A workgroup makes a tile of 64 tokens by 64
// rows; each of its 16 x 16 invocations 4 by 4 of it, from registers. 16 of K are staged at a time: the
// weights are dequantised once a tile.
#import shared/state
#import weight/${WEIGHT}
#import output/${OUTPUT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(6) var<storage, read> state: State;

const WG = 256u;
const TILE = 64u;
const PITCH = 5u; // vec4 a staged row of 16: the fifth keeps neighbours off each other's banks
var<workgroup> x_tile: array<vec4f, TILE * PITCH>;
var<workgroup> w_tile: array<vec4f, TILE * PITCH>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = workgroup.x * TILE;
  let t0 = workgroup.y * TILE;
  let n_tokens = state.n_tokens;
  // This invocation's tokens are tt + 16 i, its rows 2 tn + {0, 1} and 32 more: pairs, for gated units.
  let tt = t / 16u;
  let tn = t % 16u;
  var acc: array<vec4f, 4>;
  for (var j = 0u; j < K16; j++) {
    {
      let row = t / 4u;
      x_tile[row * PITCH + t % 4u] = x[min(t0 + row, n_tokens - 1u) * K16 * 4u + j * 4u + t % 4u];
    }
    if (t < TILE) {
      let v = weight_values(weight16(min(n0 + t, N - 1u), j));
      for (var c = 0u; c < 4u; c++) { w_tile[t * PITCH + c] = v[c]; }
    }
    workgroupBarrier();
    for (var c = 0u; c < 4u; c++) {
      let w0 = w_tile[(2u * tn) * PITCH + c];
      let w1 = w_tile[(2u * tn + 1u) * PITCH + c];
      let w2 = w_tile[(2u * tn + 32u) * PITCH + c];
      let w3 = w_tile[(2u * tn + 33u) * PITCH + c];
      for (var i = 0u; i < 4u; i++) {
        let xi = x_tile[(tt + 16u * i) * PITCH + c];
        acc[i] += vec4f(dot(xi, w0), dot(xi, w1), dot(xi, w2), dot(xi, w3));
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let token = t0 + tt + 16u * i;
    if (token < n_tokens) {
      output_pair(token, n0 + 2u * tn, acc[i].x, acc[i].y);
      output_pair(token, n0 + 2u * tn + 32u, acc[i].z, acc[i].w);
    }
  }
}
