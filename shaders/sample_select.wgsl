// Sampling, after the histogram: gather what could pass the filters. Every workgroup finds the same last bin: it
// holds at least the top_k largest logits and at least top_p of the probability. In case these are too many to
// sort, each workgroup also draws from its own share.
#import shared/state
#import shared/best_of_all
#import shared/sampling
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> histogram: Histogram;
@group(0) @binding(3) var<storage, read_write> candidates: array<Best>;
@group(0) @binding(4) var<storage, read_write> drawn: array<Best>;
@group(0) @binding(5) var<storage, read_write> masses: array<f32>; // of a workgroup's share, relative to the largest
@group(0) @binding(6) var<storage, read> state: State;
override N_VOCAB: u32;

const PER = N_BINS / ARGMAX_WG;
// Running sums, over blocks of PER bins: counts, and the least and the most that their probabilities can be.
var<workgroup> sums: array<vec3f, ARGMAX_WG>;
var<workgroup> last_bin: atomic<u32>;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  if (t == 0u) { atomicStore(&last_bin, N_BINS - 1u); }
  let top = best_of_all(t).value;
  var own = vec3f(0.0);
  for (var i = 0u; i < PER; i++) { own += bounds(t * PER + i); }
  let total = workgroup_sum_of(own, t);
  let k = select(f32(N_VOCAB), f32(state.top_k), state.top_k > 0u);
  var sum = sums[t] - own;
  for (var i = 0u; i < PER; i++) {
    let before = sum;
    sum += bounds(t * PER + i);
    if (before.x < k && sum.x >= k) { atomicMin(&last_bin, t * PER + i); }
    if (before.y < state.top_p * total.z && sum.y >= state.top_p * total.z) { atomicMin(&last_bin, t * PER + i); }
  }
  workgroupBarrier();
  let last = atomicLoad(&last_bin);
  let floor = top + log(max(state.min_p, 1e-30));
  var draw = Best(-3e38, 0u);
  var mass = 0.0;
  for (var i = workgroup.x * ARGMAX_WG + t; i < N_VOCAB; i += N_WORKGROUPS * ARGMAX_WG) {
    let v = logits[i];
    mass += exp(v - top);
    if (bin_of(top - v) <= last && v >= floor) {
      let at = atomicAdd(&histogram.n_candidates, 1u);
      if (at < MAX_SORTED) { candidates[at] = Best(v, i); }
      draw = better(draw, Best(v / state.temperature + gumbel(state.seed, state.n_sampled, i), i));
    }
  }
  draw = workgroup_best(draw, t);
  let sum_of_masses = workgroup_sum_of(vec3f(mass, 0.0, 0.0), t).x;
  if (t == 0u) {
    drawn[workgroup.x] = draw;
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
  let nearest = exp(-f32(bin) / BINS_PER_LOGIT);
  let farthest = select(exp(-f32(bin + 1u) / BINS_PER_LOGIT), 0.0, bin == N_BINS - 1u);
  return n * vec3f(1.0, farthest, nearest);
}
