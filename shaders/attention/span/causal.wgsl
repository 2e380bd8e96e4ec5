// A batch after a cache: tokens see those before them, inside a window.
#import shared/batch
@group(0) @binding(6) var<storage, read> batch: Batch;
override WINDOW: u32; // positions attended to

fn span(tile: u32, tile_tokens: u32) -> Span {
  let token0 = tile * tile_tokens;
  let end = min(token0 + tile_tokens, batch.n_rows);
  let pos0 = batch.pos + token0;
  let first = select(0u, pos0 + 1u - WINDOW, pos0 + 1u > WINDOW);
  return Span(token0, end, first, batch.pos + end - 1u);
}

fn sees(token: u32, last: u32, p: vec4u) -> vec4<bool> {
  let pos = batch.pos + token;
  return (p <= vec4u(min(pos, last))) & (vec4u(pos) - p < vec4u(WINDOW));
}
