fn activate(v: vec4f, n4: u32) -> vec4f {
  return max(v, vec4f(0.0));
}
