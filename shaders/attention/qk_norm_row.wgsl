// RMSNorm of all query heads of a token together, and of all key heads (OLMo 2, arXiv:2501.00656), in place, before rope_kv.
// A workgroup takes one of the two: rope_kv's take a few heads each, and would read what others have written already.
#import attention/heads
#import shared/reduce/lanes
#import attention/qk_norm/row
@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let is_q = workgroup.x == 0u;
  let base = workgroup.y * ROW_D4 + select(N_HEAD * D4, 0u, is_q);
  let n = select(N_HEAD_KV, N_HEAD, is_q) * D4;
  let scale = head_scale(base, t, t);
  for (var i = t; i < n; i += WG) { qkv[base + i] = head_value(base, i) * scale; }
}
