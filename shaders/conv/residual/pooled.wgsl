// The residual is the maximum of 2 x 2 places of an image of twice the size; channels that it lacks are 0.
@group(0) @binding(3) var<storage, read> skip: array<vec4f>;
override SKIP_C: u32; // its channels
override SKIP_W: u32; // its width, even
override SKIP_C4: u32 = (SKIP_C + 3u) / 4u;
override SKIP_PITCH: u32 = (SKIP_C + 15u) / 16u * 4u;

fn residual(place: u32, n4: u32) -> vec4f {
  if (n4 >= SKIP_C4) { return vec4f(0.0); }
  let width = SKIP_W / 2u;
  let at = (place / width * 2u * SKIP_W + place % width * 2u) * SKIP_PITCH + n4;
  let below = at + SKIP_W * SKIP_PITCH;
  return max(max(skip[at], skip[at + SKIP_PITCH]), max(skip[below], skip[below + SKIP_PITCH]));
}
