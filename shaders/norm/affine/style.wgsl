// By a style: gamma and beta (C) each, from STYLE on, a multiple of 4.
@group(0) @binding(1) var<storage, read> style: array<f32>;
override STYLE: u32;

fn style4(i: u32) -> vec4f {
  return vec4f(style[i], style[i + 1u], style[i + 2u], style[i + 3u]);
}

fn affine(v: vec4f, n4: u32) -> vec4f {
  return v * (1.0 + style4(STYLE + 4u * n4)) + style4(STYLE + C + 4u * n4);
}
