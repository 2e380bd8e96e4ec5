// The output of attention_vec, put together from the splits: o = sum_s e^(m_s - m) o_s / sum_s e^(m_s - m) z_s.
#import shared/state
#import shared/k16
#import shared/heads
#import shared/splits
@group(0) @binding(0) var<storage, read> partials: array<vec4f>; // (N_HEAD, N_SPLIT, D4 + 1)
@group(0) @binding(6) var<storage, read> state: State;
override WINDOW: u32;
override N_PARTS: u32 = N_HEAD * N_SPLIT;

var<workgroup> split_weight: array<f32, N_PARTS>;
var<private> n_live: u32; // splits with positions
var<private> x_base: u32 = 0u; // one token: always 0

fn input_begin(t: u32, subgroup_size: u32) {
  let n_positions = min(state.pos + 1u, WINDOW);
  let per_split = positions_per_split(n_positions);
  n_live = (n_positions + per_split - 1u) / per_split;
  for (var h = t; h < N_HEAD; h += WG) {
    var highest = -1e30;
    for (var s = 0u; s < n_live; s++) { highest = max(highest, partials[(h * N_SPLIT + s) * (D4 + 1u) + D4].x); }
    var total = 0.0;
    for (var s = 0u; s < n_live; s++) {
      let part = partials[(h * N_SPLIT + s) * (D4 + 1u) + D4];
      let w = exp(part.x - highest);
      split_weight[h * N_SPLIT + s] = w;
      total += w * part.y;
    }
    for (var s = 0u; s < n_live; s++) { split_weight[h * N_SPLIT + s] /= total; }
  }
  workgroupBarrier();
}

fn merged(i: u32) -> vec4f {
  let h = i / D4;
  var v = vec4f(0.0);
  if (h < N_HEAD) {
    for (var s = 0u; s < n_live; s++) {
      v += split_weight[h * N_SPLIT + s] * partials[(h * N_SPLIT + s) * (D4 + 1u) + i % D4];
    }
  }
  return v;
}

fn input16(j: u32) -> mat4x4f {
  let i = j * 4u;
  return mat4x4f(merged(i), merged(i + 1u), merged(i + 2u), merged(i + 3u));
}

fn input_scale(t: u32, subgroup_size: u32) -> f32 {
  return 1.0;
}
