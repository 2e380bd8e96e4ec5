// The input straight from memory: nothing is computed of it that neighbours could share.
#import matmul/input/plain
#import shared/quant/k16
#import shared/quant/dot16
override CHUNK: u32 = K16;

fn input_chunk(j0: u32, t: u32) -> u32 {
  return K16;
}

fn input16(j: u32) -> X16 {
  return mat4x4f(input4(j * 4u), input4(j * 4u + 1u), input4(j * 4u + 2u), input4(j * 4u + 3u));
}
