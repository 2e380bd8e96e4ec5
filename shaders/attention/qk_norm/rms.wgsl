// RMSNorm of every query and key head by itself.
#import attention/qk_norm_head

fn head_value(base: u32, d4: u32) -> vec4f {
  return qkv[base + d4] * norm_weight(base, d4);
}
