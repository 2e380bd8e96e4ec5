// PReLU (arXiv:1502.01852), a slope a channel.
@group(0) @binding(7) var<storage, read> slope: array<vec4f>;

fn activate(v: vec4f, n4: u32) -> vec4f {
  return select(v * slope[n4], v, v >= vec4f(0.0));
}
