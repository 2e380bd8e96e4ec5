// Heads as they were projected.
fn head_scale(base: u32, lane: u32, t: u32) -> f32 {
  return 1.0;
}

fn head_value(base: u32, d4: u32) -> vec4f {
  return qkv[base + d4];
}
