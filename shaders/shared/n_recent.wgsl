// Ids that the repeat penalty looks back on, a ring.
const N_RECENT = 64u;
