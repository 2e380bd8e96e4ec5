// A head's output is multiplied with the sigmoid of its gate; gates follow the values in a token's row.
#import attention/qkv_row
#import shared/sigmoid

fn gated(v: vec4f, token: u32, head: u32, d4: u32) -> vec4f {
  let gate = qkv[token * ROW_D4 + (N_HEAD + 2u * N_HEAD_KV + head) * D4 + d4];
  return v * vec4f(sigmoid(gate.x), sigmoid(gate.y), sigmoid(gate.z), sigmoid(gate.w));
}
