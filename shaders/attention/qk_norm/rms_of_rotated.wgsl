// RMSNorm of every head by itself after its rotation, which applies the weights: rope/half_split_then_norm.
#import attention/qk_norm_head

fn head_value(base: u32, d4: u32) -> vec4f {
  return qkv[base + d4];
}
