// A row of x, what a gated delta net is made of: N_K heads of q, N_K of k, N_V of v and N_V of z, of HEAD_DIM elements each; then
// a beta and an alpha of each value head. Value head h has key head h % N_K.
@group(0) @binding(0) var<storage, read> x: array<vec4f>; // (T, STRIDE4)
override N_K: u32;
override N_V: u32;
override HEAD_DIM: u32; // a multiple of 16 up to 128
override STRIDE4: u32;
override EPS: f32; // of all norms
override D4: u32 = HEAD_DIM / 4u;
override C4: u32 = (2u * N_K + N_V) * D4; // channels of the convolution: q, k and v

// Where q (0), k (1) or v (2) of a value head starts.
fn part(i: u32, head: u32) -> u32 {
  return select(i * N_K + head % N_K, 2u * N_K + head, i == 2u) * D4;
}

fn scalar(t: u32, i: u32) -> f32 {
  return x[t * STRIDE4 + C4 + N_V * D4 + i / 4u][i % 4u];
}
