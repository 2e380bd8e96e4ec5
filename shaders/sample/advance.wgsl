// The end of a step: the sampled id becomes the next step's token, and the batch's positions are taken.
#import shared/batch
#import sample/state
@group(0) @binding(6) var<storage, read_write> batch: Batch;
@group(0) @binding(7) var<storage, read_write> state: SamplerState;
@group(0) @binding(8) var<storage, read_write> recent: array<u32>;
@group(0) @binding(9) var<storage, read_write> tokens: array<u32>;

fn advance(id: u32) {
  tokens[0] = id;
  recent[state.n_recent % N_RECENT] = id;
  state.n_recent += 1u;
  state.n_sampled += 1u;
  batch.pos += batch.n_rows;
  batch.n_rows = 1u;
}
