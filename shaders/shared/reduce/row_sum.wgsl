// Sums over the LANES invocations that share rows: an Acc is the sums of ROWS rows. LANES is a power of two up to WG.
override LANES: u32;
#ifdef ROWS_1
alias Acc = f32;
#endif
#ifdef ROWS_2
alias Acc = vec2f;
#endif
#ifdef ROWS_4
alias Acc = vec4f;
#endif

#ifdef SUBGROUPS
override SHUFFLED: u32 = min(LANES, SUBGROUP);
var<workgroup> row_scratch: array<Acc, N_SUBGROUPS>;

fn row_sum(v: Acc, t: u32) -> Acc {
  var s = v;
  for (var o = SHUFFLED / 2u; o > 0u; o >>= 1u) { s += subgroupShuffleXor(s, o); }
  if (LANES > SUBGROUP) {
    if (t % SUBGROUP == 0u) { row_scratch[t / SUBGROUP] = s; }
    workgroupBarrier();
    s = Acc();
    let first = t / LANES * (LANES / SUBGROUP);
    for (var i = 0u; i < LANES / SUBGROUP; i++) { s += row_scratch[first + i]; }
  }
  return s;
}
#else
var<workgroup> row_scratch: array<Acc, WG>;

fn row_sum(v: Acc, t: u32) -> Acc {
  row_scratch[t] = v;
  workgroupBarrier();
  for (var o = LANES / 2u; o > 0u; o >>= 1u) {
    if ((t & (LANES - 1u)) < o) { row_scratch[t] += row_scratch[t + o]; }
    workgroupBarrier();
  }
  return row_scratch[t & ~(LANES - 1u)];
}
#endif
