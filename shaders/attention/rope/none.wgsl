// No rotary embedding: positions are learned, or this layer has none.
fn roped(pos: u32, base: u32, d4: u32) -> vec4f {
  return head_value(base, d4);
}
