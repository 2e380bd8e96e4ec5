// F16, four to a vec2u: shader-f16 is not needed.
#import attention/kv_vectors
alias Cached = vec2u;

fn unpack(v: vec2u) -> vec4f {
  return vec4f(unpack2x16float(v.x), unpack2x16float(v.y));
}

// Beyond the largest f16 a packed value would be anything.
fn pack(value: vec4f) -> vec2u {
  let v = clamp(value, vec4f(-65504.0), vec4f(65504.0));
  return vec2u(pack2x16float(v.xy), pack2x16float(v.zw));
}
