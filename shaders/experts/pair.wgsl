// The dot products of a pair of an expert's rows with the row of x at x_base: the part of this invocation, one of
// LANES.
#import shared/reduce/row_sum

fn expert_pair(expert: u32, row: u32, t: u32) -> vec2f {
  let first = expert * N + min(row, N - 1u);
  let second = expert * N + min(row + 1u, N - 1u);
  var acc: vec2f;
  for (var j0 = 0u; j0 < K16; j0 += CHUNK) {
    let n = input_chunk(j0, t);
    for (var j = t % LANES; j < n; j += LANES) {
      let x16 = input16(j);
      acc += vec2f(dot16(first, j0 + j, x16), dot16(second, j0 + j, x16));
    }
  }
  return acc;
}
