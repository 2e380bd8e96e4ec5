// y (N): the mean of x (PLACES, N) over its places. A workgroup makes 8 vectors of channels, 8 invocations each.
#import shared/elements
#import conv/output_shape
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
override PLACES: u32;
const MEAN_VECTORS = 8u;
var<workgroup> sums: array<vec4f, ELEMENT_WG>;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let n4 = workgroup.x * MEAN_VECTORS + t % MEAN_VECTORS;
  var sum: vec4f;
  for (var place = t / MEAN_VECTORS; place < PLACES; place += ELEMENT_WG / MEAN_VECTORS) {
    sum += x[place * Y_PITCH + min(n4, N4 - 1u)];
  }
  sums[t] = sum;
  workgroupBarrier();
  if (t >= MEAN_VECTORS || n4 >= N4) { return; }
  for (var i = t + MEAN_VECTORS; i < ELEMENT_WG; i += MEAN_VECTORS) { sum += sums[i]; }
  y[n4] = sum / f32(PLACES);
}
