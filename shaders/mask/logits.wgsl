// Logits of tokens that may not come next, before sampling: so low that none is drawn, yet a number.
#import shared/elements
#import shared/finite
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(1) var<storage, read> allowed: array<u32>; // a bit a token
override N_VOCAB: u32;

const FORBIDDEN = -1e38;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let id = at.x;
  if (id >= N_VOCAB) { return; }
  let is_allowed = ((allowed[id / 32u] >> (id % 32u)) & 1u) == 1u;
  // What is no number stays, and is found by the sampler.
  if (!is_allowed && is_finite(logits[id])) { logits[id] = FORBIDDEN; }
}
