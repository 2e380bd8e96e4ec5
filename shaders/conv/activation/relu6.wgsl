fn activate(v: vec4f, n4: u32) -> vec4f {
  return clamp(v, vec4f(0.0), vec4f(6.0));
}
