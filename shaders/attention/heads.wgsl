// The fused projection of a token is a row of heads: N_HEAD of q, N_HEAD_KV of k, N_HEAD_KV of v, each of
// HEAD_DIM elements, a multiple of 4. GQA: N_HEAD / N_HEAD_KV query heads share a key-value head.
override N_HEAD: u32;
override N_HEAD_KV: u32;
override HEAD_DIM: u32;
override D4: u32 = HEAD_DIM / 4u;
