// The end of a step: the sampled id becomes the next step's token, and the batch's positions are taken.
#import shared/state
#import shared/n_recent
@group(0) @binding(4) var<storage, read_write> recent: array<u32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: State;

fn advance(id: u32) {
  tokens[0] = id;
  recent[state.n_recent % N_RECENT] = id;
  state.n_recent += 1u;
  state.pos += state.n_tokens;
  state.n_tokens = 1u;
  state.n_sampled += 1u;
}
