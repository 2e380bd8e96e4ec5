// A row of floats, and where a second row would be, the same in digits: (3, groups) of 16, the highest first, then the
// groups' units and sums.
@group(0) @binding(0) var<storage, read> x: array<vec4u>;

fn input_begin(t: u32) {}

fn input_scale(t: u32) -> f32 {
  return 1.0;
}
