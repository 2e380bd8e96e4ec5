// The end of a step: the sampled id becomes the next step's token, and the batch's positions are taken.
#import shared/state
@group(0) @binding(5) var<storage, read_write> tokens: array<u32>;
@group(0) @binding(6) var<storage, read_write> state: State;

fn advance(id: u32) {
  tokens[0] = id;
  state.pos += state.n_tokens;
  state.n_tokens = 1u;
  state.n_sampled += 1u;
}
