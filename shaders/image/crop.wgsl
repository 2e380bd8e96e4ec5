// y (side, side, 3): a square that an affine map cuts from a picture of 8-bit RGBA, red, green and blue from 0 to 1. An invocation
// makes a pixel. The picture is linear between the centres of its pixels, which lie at halves, and beyond them as at its edge.
#import shared/elements
@group(0) @binding(0) var<storage, read> picture: array<u32>;
struct CropParams {
  // From pixels of the square to pixels of the picture: (xx x + xy y + x0, yx x + yy y + y0).
  xx: f32,
  xy: f32,
  x0: f32,
  yx: f32,
  yy: f32,
  y0: f32,
  width: u32,
  height: u32,
  pitch: u32,        // pixels of the picture from one row to the next
  side: u32,
  zero_outside: u32, // 1: what lies outside of the picture is 0
}
@group(0) @binding(1) var<uniform> params: CropParams;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
const CROP_PITCH = 4u; // vec4f from one row of y to the next

// The pixel of a column and a row, or the nearest one.
fn pixel(at: vec2f) -> vec3f {
  let last = vec2f(f32(params.width - 1u), f32(params.height - 1u));
  let place = vec2u(clamp(at, vec2f(0.0), last));
  return unpack4x8unorm(picture[place.y * params.pitch + place.x]).rgb;
}

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let side = params.side;
  if (id.x >= side * side) { return; }
  let place = vec2f(f32(id.x % side), f32(id.x / side)) + 0.5;
  let linear = mat2x2f(params.xx, params.yx, params.xy, params.yy);
  let at = linear * place + vec2f(params.x0, params.y0);
  let is_outside = any(at < vec2f(0.0)) || any(at > vec2f(f32(params.width), f32(params.height)));
  let corner = floor(at - 0.5);
  let part = at - 0.5 - corner;
  let upper = mix(pixel(corner), pixel(corner + vec2f(1.0, 0.0)), part.x);
  let lower = mix(pixel(corner + vec2f(0.0, 1.0)), pixel(corner + vec2f(1.0, 1.0)), part.x);
  let rgb = select(mix(upper, lower, part.y), vec3f(0.0), params.zero_outside == 1u && is_outside);
  y[id.x * CROP_PITCH] = vec4f(rgb, 0.0);
}
