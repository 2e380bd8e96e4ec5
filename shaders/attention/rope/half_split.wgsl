// Rotary embedding of pairs (i, i + N_ROT / 2): ggml's NEOX.
#import attention/rope_half_split

fn roped(pos: u32, base: u32, d4: u32) -> vec4f {
  return half_rotated(pos, base, d4);
}
