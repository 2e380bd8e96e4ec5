// Keep vector d4 of a head's columns of token t. Key heads, which value heads share, are kept with the first of these.
fn keep_columns(t: u32, head: u32, d4: u32) {
  let pos = batch.pos + t;
  for (var i = select(0u, 2u, head >= N_K); i < 3u; i++) {
    let c = part(i, head) + d4;
    delta_state[column_at(pos, c)] = column(t, c);
  }
}
