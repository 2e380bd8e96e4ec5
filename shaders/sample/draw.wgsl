// Last of sampling: sort the candidates, apply the filters exactly, draw, and end the step. Where there were too
// many to sort, the draw is the best of the workgroups' (the filters then cut at a bin's edge).
#import sample/best
#import sample/sampling
#import sample/advance
@group(0) @binding(2) var<storage, read_write> histogram: Histogram;
@group(0) @binding(3) var<storage, read> candidates: array<Best>;
@group(0) @binding(4) var<storage, read> drawn: array<Best>;
@group(0) @binding(5) var<storage, read> masses: array<f32>;
override N_WORKGROUPS: u32;

var<workgroup> n_candidates: u32;
var<workgroup> sorted: array<Best, MAX_SORTED>;
var<workgroup> sums: array<f32, ARGMAX_WG>;
const PER = MAX_SORTED / ARGMAX_WG;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(local_invocation_index) t: u32) {
  if (t == 0u) { n_candidates = atomicLoad(&histogram.n_candidates); }
  let n = workgroupUniformLoad(&n_candidates);
  // Clean for the next step; the kernels before this one have read it.
  for (var i = t; i < N_BINS; i += ARGMAX_WG) { atomicStore(&histogram.bins[i], 0u); }
  if (t == 0u) { atomicStore(&histogram.n_candidates, 0u); }

  var draw = Best(-3e38, 0u);
  if (n > MAX_SORTED) {
    for (var i = t; i < N_WORKGROUPS; i += ARGMAX_WG) { draw = better(draw, drawn[i]); }
  } else {
    for (var i = t; i < MAX_SORTED; i += ARGMAX_WG) {
      if (i < n) { sorted[i] = candidates[i]; } else { sorted[i] = Best(-3e38, 0xffffffffu); }
    }
    sort(t);
    let top = sorted[0].value;
    // The filters in llama.cpp's order: top-p is of the probability that top-k leaves.
    let n_top_k = select(n, min(n, state.top_k), state.top_k > 0u);
    var own = 0.0;
    for (var i = t * PER; i < (t + 1u) * PER; i++) {
      if (i < n_top_k) { own += exp(sorted[i].value - top); }
    }
    sums[t] = own;
    workgroupBarrier();
    for (var o = 1u; o < ARGMAX_WG; o <<= 1u) {
      var before = 0.0;
      if (t >= o) { before = sums[t - o]; }
      workgroupBarrier();
      sums[t] += before;
      workgroupBarrier();
    }
    var total = sums[ARGMAX_WG - 1u];
    if (n_top_k < state.top_k || state.top_k == 0u) {
      // What was left out before counts, too.
      total = 0.0;
      for (var i = 0u; i < N_WORKGROUPS; i++) { total += masses[i]; }
    }
    let enough = select(3e38, state.top_p * total, state.top_p < 1.0);
    let floor = min_p_floor(top, state.min_p);
    var before = sums[t] - own;
    for (var i = t * PER; i < (t + 1u) * PER; i++) {
      let c = sorted[i];
      if (i < n_top_k && (i == 0u || (before < enough && c.value >= floor))) {
        draw = better(draw, Best(score(top - c.value, c.index, state), c.index));
      }
      before += exp(c.value - top);
    }
  }
  draw = workgroup_best(draw, t);
  if (t == 0u) { advance(draw.index); }
}

// Bitonic sort, largest first; the lower id first in a tie.
fn sort(t: u32) {
  workgroupBarrier();
  for (var k = 2u; k <= MAX_SORTED; k <<= 1u) {
    for (var j = k >> 1u; j > 0u; j >>= 1u) {
      for (var i = t; i < MAX_SORTED; i += ARGMAX_WG) {
        let l = i ^ j;
        if (l > i) {
          let a = sorted[i];
          let b = sorted[l];
          let b_first = b.value > a.value || (b.value == a.value && b.index < a.index);
          if (b_first == ((i & k) == 0u)) {
            sorted[i] = b;
            sorted[l] = a;
          }
        }
      }
      workgroupBarrier();
    }
  }
}
