//! Self-attention with a KV cache, for all positions or a sliding window (arXiv:1706.03762, GQA: arXiv:2305.13245).

use super::super::config::{ModelConfig, QkNorm};
use super::super::weights::{Builder, Linear};
use super::state::ring_capacity;
use super::{Block, BlockOutput, InputNorm, State};
use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{
    Attention, AttentionParts, Input, KvCache, KvType, Normed, Output, QkNormWeights, Recorder, Rope, Temperature,
    Tensor, Vector,
};

/// `x += output . attention(rope(norm(q)), rope(norm(k)), v)` of `q, k, v = qkv . norm(x)`; where it is gated,
/// `x += output . (sigmoid(gate) * attention(..))`.
pub struct SelfAttention {
    n_head: u32,
    n_head_kv: u32,
    /// D
    head_dim: u32,
    scale: f32,
    softcap: Option<f32>,
    window: Option<u32>,
    rope: Option<Rope>,
    norm: InputNorm,
    /// q, k and v, one below the other: `((H + 2 KvH) D, C)`; then the gates, `(H D, C)`.
    attn_qkv: Linear,
    qk_norm: Option<QkNormVectors>,
    temperature: Option<Temperature>,
    gated: bool,
    /// `(C, H D)`
    output: BlockOutput,
    /// Positions that the cache keeps.
    capacity: u32,
    kv_type: KvType,
    /// Heads of the batch, and gates: `(T, (H + 2 KvH) D)` or `(T, (2 H + 2 KvH) D)`.
    qkv: Tensor,
    /// Their attention, `(T, H D)`.
    attn: Tensor,
    parts: AttentionParts,
}

/// Norms of q and k: of each head `(D)`, or of the row `(H D)` and `(KvH D)`.
struct QkNormVectors {
    attn_q_norm: Vector,
    attn_k_norm: Vector,
    of: Normed,
    eps: f32,
}

impl SelfAttention {
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
    pub fn new(b: &mut Builder<'_>, l: u32) -> Result<Self> {
        let (c, blk) = (b.c, format!("blk.{l}"));
        let layer = c.layers[l as usize];
        Ok(SelfAttention {
            n_head: c.n_head,
            n_head_kv: c.n_head_kv,
            head_dim: c.head_dim,
            scale: c.attention_scale,
            softcap: c.attention_softcap,
            window: layer.window,
            rope: layer.rope.and_then(|i| b.ropes.get(i)).cloned(),
            norm: InputNorm::of_block(b, &blk, "attn_norm")?,
            attn_qkv: attn_qkv(b, &blk)?,
            qk_norm: QkNormVectors::new(b, &blk)?,
            temperature: c.temperature,
            gated: c.gated_attention,
            output: BlockOutput::new(
                b,
                &blk,
                "attn_output",
                c.n_head * c.head_dim,
                ["post_attention_norm", "attn_post_norm"],
            )?,
            capacity: ring_capacity(layer.window, b.sizes),
            kv_type: b.sizes.kv_type,
            qkv: b.scratch("qkv", 1, c.n_qkv())?,
            attn: b.scratch("attn", 1, c.n_head * c.head_dim)?,
            parts: b.attention_parts()?,
        })
    }
}

impl QkNormVectors {
    fn new(b: &mut Builder<'_>, blk: &str) -> Result<Option<Self>> {
        let ModelConfig { n_head, n_head_kv, head_dim, .. } = *b.c;
        let (q_len, k_len, of) = match b.c.qk_norm {
            QkNorm::None => return Ok(None),
            QkNorm::Head => (head_dim, head_dim, Normed::Head),
            QkNorm::RotatedHead => (head_dim, head_dim, Normed::RotatedHead),
            QkNorm::Row => (n_head * head_dim, n_head_kv * head_dim, Normed::Row),
        };
        Ok(Some(QkNormVectors {
            attn_q_norm: b.vector(&format!("{blk}.attn_q_norm.weight"), q_len)?,
            attn_k_norm: b.vector(&format!("{blk}.attn_k_norm.weight"), k_len)?,
            of,
            eps: b.c.norm.eps(),
        }))
    }
}

/// q, k and v as one matrix: the file has them as one tensor, or as three.
fn attn_qkv(b: &mut Builder<'_>, blk: &str) -> Result<Linear> {
    let c = b.c;
    if c.gated_attention {
        return gated_qkv(b, blk);
    }
    let (q, kv) = (c.n_head * c.head_dim, c.n_head_kv * c.head_dim);
    let fused = |suffix: &str| vec![(format!("{blk}.attn_qkv.{suffix}"), q + 2 * kv)];
    let apart = |suffix: &str| {
        [("q", q), ("k", kv), ("v", kv)].map(|(n, rows)| (format!("{blk}.attn_{n}.{suffix}"), rows)).to_vec()
    };
    let has = |parts: &[(String, u32)]| parts.iter().any(|(name, _)| b.gguf.tensor(name).is_some());
    let [weight, bias] =
        ["weight", "bias"].map(|suffix| if has(&fused(suffix)) { fused(suffix) } else { apart(suffix) });
    let has_bias = has(&bias);
    let weight = b.stacked(&weight, c.n_embd)?;
    Ok(Linear { weight, bias: if has_bias { Some(b.vectors_opt(&bias)?) } else { None } })
}

/// The same with gates: the file has each head's rows of the gate after those of its query.
fn gated_qkv(b: &mut Builder<'_>, blk: &str) -> Result<Linear> {
    let ModelConfig { n_head, n_head_kv, head_dim, n_embd, .. } = *b.c;
    let [q, k, v] = [("q", 2 * n_head), ("k", n_head_kv), ("v", n_head_kv)]
        .map(|(n, heads)| b.tensor(&format!("{blk}.attn_{n}.weight"), &[heads * head_dim, n_embd]).cloned());
    let mut rest = q?;
    let (mut queries, mut gates) = (Vec::new(), Vec::new());
    for head in 0..2 * n_head - 1 {
        let (rows, others) = rest.split_rows(head_dim.into())?;
        if head % 2 == 0 {
            queries.push(rows)
        } else {
            gates.push(rows)
        }
        rest = others;
    }
    gates.push(rest);
    let weight = b.stacked_rows(queries.into_iter().chain([k?, v?]).chain(gates).collect(), n_embd)?;
    Ok(Linear { weight, bias: None })
}

impl Block for SelfAttention {
    fn state(&self, from: &dyn Allocate) -> Result<State> {
        let cache = KvCache::new(from, self.kv_type, self.n_head_kv, self.capacity, self.head_dim)?;
        Ok(State::Ring { cache, window: self.window })
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, state: &State) -> Result<()> {
        let State::Ring { cache, .. } = state else { bail!(Internal, "attention has no cache") };
        let h = self.norm.record(r, x)?;
        let bias = self.attn_qkv.bias.as_ref();
        r.matmul("attn_qkv", h, &self.attn_qkv.weight, Output::Store { y: &self.qkv, bias })?;
        let attention = Attention {
            n_head: self.n_head,
            n_head_kv: self.n_head_kv,
            head_dim: self.head_dim,
            scale: self.scale,
            window: self.window.unwrap_or(u32::MAX),
            softcap: self.softcap,
            rope: self.rope.as_ref(),
            qk_norm: self.qk_norm.as_ref().map(|n| QkNormWeights {
                q: &n.attn_q_norm,
                k: &n.attn_k_norm,
                eps: n.eps,
                of: n.of,
            }),
            temperature: self.temperature,
            gated: self.gated,
            cache,
        };
        r.attention(&attention, &self.qkv, &self.attn, &self.parts)?;
        self.output.record(r, Input::Plain(&self.attn), x)
    }
}
