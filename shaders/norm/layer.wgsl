// y (T, C) = act(layer_norm(x) * scale + shift), a workgroup a row (arXiv:1607.06450). C is a multiple of 16. The mean first, then the
// variance about it.
#import shared/reduce/workgroup_sum
#import norm/affine/${AFFINE}
#import norm/act/${ACT}
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override C: u32;
override Y_PITCH: u32; // vec4f from one row of y to the next
override EPS: f32;
override C4: u32 = C / 4u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let row = workgroup.x * C4;
  var sum = 0.0;
  for (var i = t; i < C4; i += WG) { sum += dot(x[row + i], vec4f(1.0)); }
  let mean = vec4f(workgroup_sum(sum, t) / f32(C));
  var squares = 0.0;
  for (var i = t; i < C4; i += WG) {
    let v = x[row + i] - mean;
    squares += dot(v, v);
  }
  let inverse = 1.0 / sqrt(workgroup_sum(squares, t) / f32(C) + EPS);
  for (var i = t; i < C4; i += WG) { y[workgroup.x * Y_PITCH + i] = act(affine((x[row + i] - mean) * inverse, i), i); }
}
