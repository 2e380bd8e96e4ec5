fn residual(place: u32, n4: u32) -> vec4f {
  return vec4f(0.0);
}
