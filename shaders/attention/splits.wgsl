// How decode's attention splits the positions over workgroups: up to N_SPLIT splits, of at least MIN_SPLIT.
override N_SPLIT: u32;
override MIN_SPLIT: u32;

fn positions_per_split(n_positions: u32) -> u32 {
  return max(MIN_SPLIT, (n_positions + N_SPLIT - 1u) / N_SPLIT);
}
