// Sampling without sorting the vocabulary. Logits fall into bins by their distance from the largest; the bins
// tell which few could pass the filters, and only those are sorted. The draw itself is the Gumbel-max trick
// (arXiv:1411.0030): the largest of logit / temperature + noise, where the noise is a hash of the seed, the
// draw's number and the token, so that it does not depend on how work is divided.
#import sample/state
const N_BINS = 1024u;
// Bins are narrow down to NEAR below the largest, wide beyond. The last one holds all that is 76 and more below.
const NEAR = 12.0;
const NARROW_PER_LOGIT = 64.0;
const WIDE_PER_LOGIT = 4.0;
const N_NARROW = NEAR * NARROW_PER_LOGIT;
const MAX_SORTED = 1024u;

// Counts of the bins, then the number of candidates.
struct Histogram {
  bins: array<atomic<u32>, N_BINS>,
  n_candidates: atomic<u32>,
}

// Of a logit that is so far below the largest one. Of a distance, so that next to no temperature the noise still decides
// between equals; less temperature than a float can divide by is as good as none.
fn score(below: f32, id: u32, state: SamplerState) -> f32 {
  return gumbel(state.seed, state.n_sampled, id) - below / max(state.temperature, 1e-30);
}

// The least logit that min-p leaves: the largest passes whatever the logarithm's error.
fn min_p_floor(top: f32, min_p: f32) -> f32 {
  return select(-3e38, min(top, top + log(max(min_p, 1e-30))), min_p > 0.0);
}

fn bin_of(below: f32) -> u32 {
  let bin = select(N_NARROW + (below - NEAR) * WIDE_PER_LOGIT, below * NARROW_PER_LOGIT, below < NEAR);
  return u32(clamp(bin, 0.0, f32(N_BINS - 1u)));
}

// How far below the largest a bin begins.
fn start_of(bin: u32) -> f32 {
  let b = f32(bin);
  return select(NEAR + (b - N_NARROW) / WIDE_PER_LOGIT, b / NARROW_PER_LOGIT, b < N_NARROW);
}

// PCG3D (Jarzynski and Olano, Hash Functions for GPU Rendering, 2020).
fn hash3(a: u32, b: u32, c: u32) -> u32 {
  var v = vec3u(a, b, c) * 1664525u + 1013904223u;
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v ^= v >> vec3u(16u);
  v.x += v.y * v.z;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  return v.x;
}

// Standard Gumbel noise, -log(-log(u)) of a uniform u. 23 bits, so that u is never 0 or 1. Near u = 1 the inner
// logarithm is taken from 1 - u by its series: GPU logarithms have an absolute error there.
fn gumbel(seed: u32, draw: u32, id: u32) -> f32 {
  let v = (f32(hash3(seed, draw, id) >> 9u) + 0.5) / 8388608.0; // 1 - u
  let series = v * (1.0 + v * (0.5 + v * (0.33333333 + v * (0.25 + v * 0.2))));
  return -log(select(-log(1.0 - v), series, v < 0.0625));
}
