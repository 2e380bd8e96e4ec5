// What a token has of its chunk, of each head: its rows of (I + A)^-1 diag(beta) and of P, and the scales
// (e^b_t, e^(b_last - b_t) / |k_t|, 1 / |k_t|, 1 / (|q_t| sqrt(D))).
const DELTA_CHUNK = 32u; // tokens
const ROW4 = DELTA_CHUNK / 2u + 1u;
override CHUNKS_STRIDE4: u32;

fn row_at(token: u32, head: u32) -> u32 {
  return token * CHUNKS_STRIDE4 + head * ROW4;
}
