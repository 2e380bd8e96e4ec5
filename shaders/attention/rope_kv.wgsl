// Prefill: rotate q in place, and rotated k and v into the cache. A run of LANES invocations takes one head of
// one token; k is left rotated in the row as well.
#import shared/batch
#import attention/heads
#import attention/qkv_row
#import shared/reduce/lanes
#import attention/qk_norm/${QK_NORM}
#import attention/rope/${ROPE}
#import attention/kv/${KV}
@group(0) @binding(0) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(6) var<storage, read> batch: Batch;

override HEADS_PER_WORKGROUP: u32 = WG / LANES;
override HEAD_D4: u32 = HEADS_PER_WORKGROUP * D4;
var<workgroup> rotated: array<vec4f, HEAD_D4>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = t % LANES;
  let run = t / LANES;
  let head = workgroup.x * HEADS_PER_WORKGROUP + run;
  let token = workgroup.y;
  let pos = batch.pos + token;
  let live = head < N_HEAD + N_HEAD_KV;
  let base = token * ROW_D4 + min(head, N_HEAD + N_HEAD_KV - 1u) * D4;
  let scale = head_scale(base, lane, t);
  for (var d4 = lane; d4 < D4; d4 += LANES) { rotated[run * D4 + d4] = roped(pos, base, d4) * scale; }
  workgroupBarrier();
  if (!live) { return; }
  for (var d4 = lane; d4 < D4; d4 += LANES) { qkv[base + d4] = rotated[run * D4 + d4]; }
  if (head < N_HEAD) { return; }
  let at = cache_at(head - N_HEAD, pos);
  for (var d4 = lane * KV_UNIT; d4 < D4; d4 += LANES * KV_UNIT) {
    var k: array<vec4f, KV_UNIT>;
    var v: array<vec4f, KV_UNIT>;
    for (var i = 0u; i < KV_UNIT; i++) {
      k[i] = rotated[run * D4 + d4 + i];
      v[i] = qkv[base + N_HEAD_KV * D4 + d4 + i];
    }
    k_store(at + d4, k);
    v_store(at + d4, v);
  }
}
