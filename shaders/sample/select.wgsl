// Sampling, after the histogram: gather what could pass the filters. Every workgroup finds the same last bin: up to
// it there are at least the top_k largest logits, of which top-p and min-p want all. Where there is no top_k, or these
// are too many to sort, there is at least top_p of the probability, and min-p leaves out what it can. In case that
// these are too many, too, each workgroup also draws from its own share.
#import sample/best_of_all
#import sample/sampling
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> histogram: Histogram;
@group(0) @binding(3) var<storage, read_write> candidates: array<Best>;
@group(0) @binding(4) var<storage, read_write> drawn: array<Best>;
@group(0) @binding(5) var<storage, read_write> masses: array<f32>; // of a workgroup's share, relative to the largest
@group(0) @binding(7) var<storage, read> state: SamplerState;
override N_VOCAB: u32;

const PER = N_BINS / ARGMAX_WG;
// Running sums, over blocks of PER bins: counts, and the least and the most that their probabilities can be.
var<workgroup> sums: array<vec3f, ARGMAX_WG>;
var<workgroup> last_bin_k: atomic<u32>;
var<workgroup> last_bin_p: atomic<u32>;
var<workgroup> sorts_top_k: atomic<u32>;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  if (t == 0u) {
    atomicStore(&last_bin_k, N_BINS - 1u);
    atomicStore(&last_bin_p, N_BINS - 1u);
    atomicStore(&sorts_top_k, 0u);
  }
  let best_logit = best_of_all(t);
  let top = best_logit.value;
  var own = vec3f(0.0);
  for (var i = 0u; i < PER; i++) { own += bounds(t * PER + i); }
  let total = workgroup_sum_of(own, t);
  let k = select(f32(N_VOCAB), f32(state.top_k), state.top_k > 0u);
  var sum = sums[t] - own;
  for (var i = 0u; i < PER; i++) {
    let before = sum;
    sum += bounds(t * PER + i);
    if (before.x < k && sum.x >= k) {
      atomicStore(&last_bin_k, t * PER + i);
      atomicStore(&sorts_top_k, u32(state.top_k > 0u && sum.x <= f32(MAX_SORTED)));
    }
    if (before.y < state.top_p * total.z && sum.y >= state.top_p * total.z) { atomicMin(&last_bin_p, t * PER + i); }
  }
  workgroupBarrier();
  let all_of_top_k = atomicLoad(&sorts_top_k) != 0u;
  let last_k = atomicLoad(&last_bin_k);
  let last = select(min(last_k, atomicLoad(&last_bin_p)), last_k, all_of_top_k);
  let floor = select(min_p_floor(top, state.min_p), -3e38, all_of_top_k);
  var draw = Best(-3e38, 0u);
  var mass = 0.0;
  for (var i = workgroup.x * ARGMAX_WG + t; i < N_VOCAB; i += N_WORKGROUPS * ARGMAX_WG) {
    let v = logits[i];
    mass += exp(v - top);
    if (bin_of(top - v) <= last && v >= floor) {
      let at = atomicAdd(&histogram.n_candidates, 1u);
      if (at < MAX_SORTED) { candidates[at] = Best(v, i); }
      draw = better(draw, Best(score(top - v, i, state), i));
    }
  }
  draw = workgroup_best(draw, t);
  let sum_of_masses = workgroup_sum_of(vec3f(mass, 0.0, 0.0), t).x;
  if (t == 0u) {
    // What is no number is drawn in place of any other, as if there were too many to sort.
    let is_id = best_logit.index != NO_ID;
    if (!is_id) { atomicMax(&histogram.n_candidates, MAX_SORTED + 1u); }
    drawn[workgroup.x] = Best(select(LARGEST, draw.value, is_id), select(NO_ID, draw.index, is_id));
    masses[workgroup.x] = sum_of_masses;
  }
}

// The sum over all invocations; `sums` keeps the running ones.
fn workgroup_sum_of(own: vec3f, t: u32) -> vec3f {
  workgroupBarrier();
  sums[t] = own;
  workgroupBarrier();
  for (var o = 1u; o < ARGMAX_WG; o <<= 1u) {
    var before = vec3f(0.0);
    if (t >= o) { before = sums[t - o]; }
    workgroupBarrier();
    sums[t] += before;
    workgroupBarrier();
  }
  return sums[ARGMAX_WG - 1u];
}

fn bounds(bin: u32) -> vec3f {
  let n = f32(atomicLoad(&histogram.bins[bin]));
  let nearest = exp(-start_of(bin));
  let farthest = select(exp(-start_of(bin + 1u)), 0.0, bin == N_BINS - 1u);
  return n * vec3f(1.0, farthest, nearest);
}
