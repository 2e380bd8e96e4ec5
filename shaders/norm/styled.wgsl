// Instance norm with scale and shift by a style (AdaIN, arXiv:1703.06868): gamma and beta (C) each, from STYLE on.
@group(0) @binding(1) var<storage, read> style: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<vec4f>; // (2, C): means, inverse deviations
override C: u32;
override C4: u32 = (C + 3u) / 4u;
override STYLE: u32;

struct Styled {
  scale: vec4f,
  shift: vec4f,
}

fn style4(i: u32) -> vec4f {
  return vec4f(style[i], style[i + 1u], style[i + 2u], style[i + 3u]);
}

fn styled(n4: u32) -> Styled {
  let scale = (1.0 + style4(STYLE + 4u * n4)) * statistics[C4 + n4];
  return Styled(scale, style4(STYLE + C + 4u * n4));
}

// Channels beyond C stay 0.
fn normed(v: vec4f, s: Styled, n4: u32) -> vec4f {
  let channel = vec4u(4u * n4) + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(0.0), fma(v - statistics[n4], s.scale, s.shift), channel < vec4u(C));
}
