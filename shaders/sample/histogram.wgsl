// Sampling, after argmax: count the logits into bins below the largest.
#import sample/best_of_all
#import sample/sampling
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> histogram: Histogram;
override N_VOCAB: u32;

var<workgroup> counts: array<atomic<u32>, N_BINS>;

@compute @workgroup_size(ARGMAX_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  for (var i = t; i < N_BINS; i += ARGMAX_WG) { atomicStore(&counts[i], 0u); }
  let top = best_of_all(t).value;
  for (var i = workgroup.x * ARGMAX_WG + t; i < N_VOCAB; i += N_WORKGROUPS * ARGMAX_WG) {
    atomicAdd(&counts[bin_of(top - logits[i])], 1u);
  }
  workgroupBarrier();
  for (var i = t; i < N_BINS; i += ARGMAX_WG) {
    let n = atomicLoad(&counts[i]);
    if (n > 0u) { atomicAdd(&histogram.bins[i], n); }
  }
}
