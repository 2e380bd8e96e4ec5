fn input_act(v: vec4f) -> vec4f {
  return v;
}
