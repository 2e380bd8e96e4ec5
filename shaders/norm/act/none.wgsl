fn act(v: vec4f, n4: u32) -> vec4f {
  return v;
}
