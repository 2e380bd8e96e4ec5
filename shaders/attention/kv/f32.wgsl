// F32
#import attention/kv_vectors
alias Cached = vec4f;

fn unpack(v: vec4f) -> vec4f {
  return v;
}

fn pack(v: vec4f) -> vec4f {
  return v;
}
