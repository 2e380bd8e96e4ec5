// Texts one after the other: tokens see all of their text. The host cuts each text into tiles: their first row and their end,
// then the text's. What it lists beyond the last tile is empty.
@group(0) @binding(6) var<storage, read> tiles: array<vec4u>;

fn span(tile: u32, tile_tokens: u32) -> Span {
  let t = tiles[tile];
  return Span(t.x, t.y, t.z, t.w - 1u);
}

fn sees(token: u32, last: u32, p: vec4u) -> vec4<bool> {
  return p <= vec4u(last);
}
