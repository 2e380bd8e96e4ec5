// y (T', N): a convolution over time; a kernel of 1 is a matmul. As a matmul it goes tile by tile: a workgroup makes 64 rows by 64
// channels, an invocation 8 rows by 4 channels of them, from registers. 16 channels of a tap are staged at a time, and the next are on
// their way while these are multiplied.
#import conv1d/window
#import conv1d/weight/${WEIGHT}
#import conv1d/input/${INPUT}
#import conv1d/output/${OUTPUT}

const CONV_T = 64u; // rows of a tile
const CONV_N = 64u; // channels of a tile
const CONV_WG = 128u;
var<workgroup> x_tile: array<vec4f, 256>; // (row, quarter of the group)
var<workgroup> w_tile: array<vec4f, 256>; // (channel of x, channels of y in fours)

// Vector `quarter` of group j that row t sees.
fn seen(t: u32, j: u32, quarter: u32) -> vec4f {
  let row = t * CONV_STRIDE + j / C16 * DILATION - PAD; // huge before the first
  let v = x[min(row, x_len - 1u) * X_PITCH + j % C16 * 4u + quarter];
  return select(vec4f(0.0), input_act(v), row < x_len);
}

// Plus a quarter of what is staged. Called for each quarter, since compilers leave a loop between barriers as it is.
fn products(quarter: u32, first: u32, tn: u32, sums: mat4x4f) -> mat4x4f {
  let i = quarter * 64u + tn;
  let w = mat4x4f(w_tile[i], w_tile[i + 16u], w_tile[i + 32u], w_tile[i + 48u]);
  let r = first * 4u + quarter;
  return mat4x4f(
    sums[0] + w * x_tile[r], sums[1] + w * x_tile[r + 4u], sums[2] + w * x_tile[r + 8u], sums[3] + w * x_tile[r + 12u]);
}

@compute @workgroup_size(CONV_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n0 = workgroup.x * CONV_N;
  let t0 = workgroup.y * CONV_T;
  // This invocation's rows are tt to tt + 7, its channels 4 tn to 4 tn + 3.
  let tt = t / 16u * 8u;
  let tn = t % 16u;
  var low: mat4x4f; // a column a row of y
  var high: mat4x4f;
  var w_next: mat4x4f;
  var x_next: array<vec4f, 2>;
  for (var j = 0u; j <= K16; j++) {
    if (j > 0u) {
      if (t < 64u) {
        let at = t % 4u * 64u + t / 4u;
        for (var c = 0u; c < 4u; c++) { w_tile[at + c * 16u] = w_next[c]; }
      }
      x_tile[t] = x_next[0];
      x_tile[t + CONV_WG] = x_next[1];
      workgroupBarrier();
    }
    if (j < K16) {
      if (t < 64u) {
        let n = min(vec4u(n0 + t / 4u * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(N - 1u));
        w_next = transpose(mat4x4f(
          weight4(n.x, j, t % 4u), weight4(n.y, j, t % 4u), weight4(n.z, j, t % 4u), weight4(n.w, j, t % 4u)));
      }
      x_next[0] = seen(t0 + t / 4u, j, t % 4u);
      x_next[1] = seen(t0 + t / 4u + CONV_T / 2u, j, t % 4u);
    }
    if (j > 0u) {
      low = products(0u, tt, tn, low);
      high = products(0u, tt + 4u, tn, high);
      low = products(1u, tt, tn, low);
      high = products(1u, tt + 4u, tn, high);
      low = products(2u, tt, tn, low);
      high = products(2u, tt + 4u, tn, high);
      low = products(3u, tt, tn, low);
      high = products(3u, tt + 4u, tn, high);
      workgroupBarrier();
    }
  }
  let n4 = n0 / 4u + tn;
  let row = t0 + tt;
  put(row, n4, low[0]);
  put(row + 1u, n4, low[1]);
  put(row + 2u, n4, low[2]);
  put(row + 3u, n4, low[3]);
  put(row + 4u, n4, high[0]);
  put(row + 5u, n4, high[1]);
  put(row + 6u, n4, high[2]);
  put(row + 7u, n4, high[3]);
}
