// x[0] = x[T - 1]: of a prefilled batch only the last token's logits are wanted.
#import shared/elements
#import shared/batch
#import shared/quant/k16
@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(6) var<storage, read> batch: Batch;

@compute @workgroup_size(ELEMENT_WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x < K16 * 4u) { x[at.x] = x[(batch.n_rows - 1u) * K16 * 4u + at.x]; }
}
