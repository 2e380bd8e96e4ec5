// The repeat penalty (arXiv:1909.05858) on the recent ids, before sampling.
#import sample/state
#import shared/finite
@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
@group(0) @binding(8) var<storage, read> recent: array<u32>;
@group(0) @binding(7) var<storage, read> state: SamplerState;

// Beyond this, penalties of any size make no difference: what is finite stays so.
const LARGEST_LOGIT = 1e30;

@compute @workgroup_size(N_RECENT)
fn main(@builtin(local_invocation_index) t: u32) {
  if (t >= min(state.n_recent, N_RECENT)) { return; }
  let id = recent[t];
  for (var i = 0u; i < t; i++) {
    if (recent[i] == id) { return; } // once an id, however often it occurs
  }
  let v = logits[id];
  if (!is_finite(v)) { return; } // and is found by the sampler
  let penalised = select(v / state.repeat_penalty, v * state.repeat_penalty, v <= 0.0);
  logits[id] = clamp(penalised, -LARGEST_LOGIT, LARGEST_LOGIT);
}
