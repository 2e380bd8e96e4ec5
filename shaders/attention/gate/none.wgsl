fn gated(v: vec4f, token: u32, head: u32, d4: u32) -> vec4f {
  return v;
}
