// The sigmoid of the first channels; the others as they are.
override N_SIGMOID: u32;

fn activate(v: vec4f, n4: u32) -> vec4f {
  let channel = vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u);
  return select(v, 1.0 / (1.0 + exp(-clamp(v, vec4f(-80.0), vec4f(80.0)))), channel < vec4u(N_SIGMOID));
}
