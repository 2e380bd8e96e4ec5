//! The forward pass: one for every pre-norm decoder. It is walked once a plan; running replays the plans.

use std::iter::once;

use futures_util::future::try_join;
use web_time::Instant;

use super::config::{Ffn, ModelConfig, QkNorm};
use super::load::{LoadEvents, LoadOptions, LoadPhase, LoadTimes, ms, stream_weights};
use super::need::{Budget, Fit, Need};
use super::rope;
use super::weights::{
    Bytes, Destination, ExpertWeights, FfnWeights, GateUp, Linear, Load, NormWeights, ROPE_FACTORS_LONG,
    ROPE_FACTORS_SHORT, ROPE_FREQS, Weights,
};
use crate::error::{Result, bail};
use crate::gguf::{GgmlType, Gguf};
use crate::gpu::{Gpu, N_RECENT, Plan, Profile, REPEATS, Readback, State, Usage};
use crate::ops::{
    Act, Attention, AttentionParts, ExpertOutput, Index, Input, KvCache, KvType, Output, Phase, QkNormWeights,
    Recorder, Rope, Routes, Sampler, StepBuffers, Tensor, Tuning, Vector,
};
use crate::source::ByteSource;

/// Activations and caches, allocated once.
pub(super) struct RunState {
    pub step: StepBuffers,
    /// Residual stream, `(T, C)`.
    pub x: Tensor,
    /// Heads of the batch, `(T, (H + 2 KvH) D)`.
    pub qkv: Tensor,
    /// Attention's output, `(T, H D)`; in decode it stays in parts.
    pub attn: Tensor,
    pub attn_parts: AttentionParts,
    /// Inside of the feed-forward block, `(T, F)`; of experts `(T, n_used, F)`.
    pub ffn: Tensor,
    pub router: Option<Router>,
    /// A block's output that is normed before it is added, `(T, C)`.
    pub block_out: Tensor,
    /// `(V)`, of the last token.
    pub logits: Tensor,
    pub caches: Vec<KvCache>,
    pub ropes: Vec<Rope>,
    sampler: Sampler,
}

/// Where tokens go in a mixture of E experts.
pub(super) struct Router {
    /// `(T, E)`
    probs: Tensor,
    routes: Routes,
}

/// The recorded plans. A step replays some of them in one submit.
struct Plans {
    /// Embedding and layers of a batch.
    prefill: Plan,
    /// Embedding and layers of one token, behind few positions and behind many.
    decode_near: Plan,
    decode_far: Plan,
    /// After prefill: the last token's row.
    last_row: Plan,
    /// Output norm and logits of one row.
    head: Plan,
    repeat_penalty: Plan,
    greedy: Plan,
    sample: Plan,
}

/// A model on the GPU, ready to run.
pub struct Model {
    pub gpu: Gpu,
    pub config: ModelConfig,
    pub bytes: Bytes,
    pub times: LoadTimes,
    /// Positions the KV cache holds.
    pub n_ctx: u32,
    /// Tokens of a prefill batch.
    pub n_batch: u32,
    pub kv_type: KvType,
    pub(super) weights: Weights,
    pub(super) run: RunState,
    plans: Plans,
}

impl RunState {
    fn new(gpu: &Gpu, c: &ModelConfig, n_ctx: u32, n_batch: u32, kv_type: KvType) -> Result<Self> {
        let step = StepBuffers::new(gpu, n_batch)?;
        let mut ropes = Vec::new();
        for r in &c.ropes {
            let table = gpu.buffer("rope", u64::from(n_ctx) * u64::from(r.n_rot) * 4, Usage::Storage)?;
            ropes.push(Rope { kind: r.kind, n_rot: r.n_rot, table });
        }
        let mut caches = Vec::new();
        for l in &c.layers {
            let capacity = c.kv_capacity(l, n_ctx, n_batch);
            caches.push(KvCache::new(gpu, kv_type, c.n_head_kv, capacity, c.head_dim)?);
        }
        let router = match c.ffn {
            Ffn::Experts { n_expert, n_used } => Some(Router {
                probs: Tensor::new(gpu, "probs", n_batch, n_expert)?,
                routes: Routes::new(gpu, n_batch, n_used)?,
            }),
            Ffn::Gated(_) | Ffn::Gelu => None,
        };
        Ok(RunState {
            x: Tensor::new(gpu, "x", n_batch, c.n_embd)?,
            qkv: Tensor::new(gpu, "qkv", n_batch, c.n_qkv())?,
            attn: Tensor::new(gpu, "attn", n_batch, c.n_head * c.head_dim)?,
            attn_parts: AttentionParts::new(gpu, c.n_head, c.head_dim)?,
            ffn: Tensor::new(gpu, "ffn", n_batch * c.ffn_rows(), c.n_ff)?,
            router,
            block_out: Tensor::new(gpu, "block_out", n_batch, c.n_embd)?,
            logits: Tensor::new(gpu, "logits", 1, c.n_vocab)?,
            sampler: Sampler::new(gpu)?,
            step,
            caches,
            ropes,
        })
    }
}

/// Decode where nothing depends on the number of positions.
const NEAR: Phase = Phase::Decode { far: false };

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f32,
    /// Keep the so many most likely tokens; 0 keeps all.
    pub top_k: u32,
    /// Keep the most likely tokens that make up this probability together (arXiv:1904.09751); 1 keeps all.
    pub top_p: f32,
    /// Keep tokens at least this probable, relative to the most likely (arXiv:2407.01082); 0 keeps all.
    pub min_p: f32,
    /// What the logits of recent tokens are divided by (arXiv:1909.05858); 1 is off.
    pub repeat_penalty: f32,
    pub seed: u32,
}

impl Sampling {
    pub const GREEDY: Self =
        Sampling { temperature: 0.0, top_k: 0, top_p: 1.0, min_p: 0.0, repeat_penalty: 1.0, seed: 0 };
}

/// Everything the walk over the architecture looks at.
pub(super) struct Forward<'a> {
    pub c: &'a ModelConfig,
    pub w: &'a Weights,
    pub s: &'a RunState,
}

impl<'a> Forward<'a> {
    /// The input of a block or of the output matrix: normed, where there is a norm.
    fn normed(&self, x: &'a Tensor, n: Option<&'a NormWeights>) -> Input<'a> {
        let Some(n) = n else { return Input::Plain(x) };
        match &n.bias {
            Some(bias) => Input::LayerNorm { x, weight: &n.weight, bias, eps: self.c.norm.eps() },
            None => Input::RmsNorm { x, weight: &n.weight, eps: self.c.norm.eps() },
        }
    }

    fn attention(&self, l: u32) -> Attention<'a> {
        let (c, s, w) = (self.c, self.s, &self.w.layers[l as usize]);
        let layer = c.layers[l as usize];
        let qk_norm = w.attn_q_norm.as_ref().zip(w.attn_k_norm.as_ref());
        Attention {
            n_head: c.n_head,
            n_head_kv: c.n_head_kv,
            head_dim: c.head_dim,
            scale: c.attention_scale,
            window: layer.window.unwrap_or(u32::MAX),
            softcap: c.attention_softcap,
            rope: layer.rope.and_then(|i| s.ropes.get(i)),
            qk_norm: qk_norm.map(|(q, k)| QkNormWeights {
                q,
                k,
                eps: c.norm.eps(),
                whole_row: c.qk_norm == QkNorm::Row,
            }),
            cache: &s.caches[l as usize],
        }
    }

    /// Embedding: `x = token_embd[id]`, plus learned positions.
    pub fn embed(&self, r: &mut Recorder<'_>) -> Result<()> {
        let x = &self.s.x;
        r.tap_embed("embd.unscaled", &self.w.token_embd, Index::Token)?;
        r.embed("token_embd", &self.w.token_embd, Index::Token, self.c.embedding_scale, x)?;
        r.tap("embd", x)?;
        if let Some(table) = &self.w.position_embd {
            r.tap_embed("pos_embd", table, Index::Position)?;
            r.embed("position_embd", table, Index::Position, 1.0, x)?;
            r.tap("inpL", x)?;
        }
        Ok(())
    }

    /// One layer: `x += attention(norm(x))`, then `x += ffn(norm(x))`.
    pub fn layer(&self, r: &mut Recorder<'_>, l: u32) -> Result<()> {
        let (s, x) = (self.s, &self.s.x);
        let w = &self.w.layers[l as usize];
        r.set_layer(Some(l));

        let h = self.normed(x, w.attn_norm.as_ref());
        r.tap_norm("attn_norm", h)?;
        let attention = self.attention(l);
        r.tap_projections(&attention, h, &w.attn_qkv.weight, w.attn_qkv.bias.as_ref())?;
        r.matmul("attn_qkv", h, &w.attn_qkv.weight, Output::Store { y: &s.qkv, bias: w.attn_qkv.bias.as_ref() })?;
        r.tap_head_norms(&attention, &s.qkv)?;
        r.attention(&attention, &s.qkv, &s.attn, &s.attn_parts)?;
        r.tap_attention(&attention, &s.qkv, &s.attn)?;
        let o = Input::Plain(&s.attn);
        self.add_block(r, ["attn_output", "attn_out", "attn_post_norm"], o, &w.attn_output, w.attn_post_norm.as_ref())?;
        r.tap("ffn_inp", x)?;

        let h = self.normed(x, w.ffn_norm.as_ref());
        r.tap_norm("ffn_norm", h)?;
        match &w.ffn {
            FfnWeights::Gated { gate_up, ffn_down } => {
                let h = self.gate_up(r, h, gate_up)?;
                self.ffn_down(r, h, ffn_down, w.ffn_post_norm.as_ref())?;
            }
            FfnWeights::Plain { ffn_up, ffn_down } => {
                let Some(bias) = &ffn_up.bias else {
                    bail!(MalformedGguf, "tensor 'blk.{l}.ffn_up.bias' is missing from the file");
                };
                r.tap_matmul("ffn_up", "ffn_up_b", h, &ffn_up.weight, Some(bias))?;
                let h = r.matmul("ffn_up", h, &ffn_up.weight, Output::Gelu { y: &s.ffn, bias })?;
                self.ffn_down(r, h, ffn_down, w.ffn_post_norm.as_ref())?;
            }
            FfnWeights::Experts(experts) => self.experts(r, h, experts)?,
        }
        r.tap("l_out", x)?;
        r.set_layer(None);
        Ok(())
    }

    /// `ffn = act(gate . h) * (up . h)`
    fn gate_up(&self, r: &mut Recorder<'_>, h: Input<'_>, w: &GateUp) -> Result<Input<'a>> {
        let y = &self.s.ffn;
        let act = if let Ffn::Gated(act) = self.c.ffn { act } else { Act::Silu };
        match w {
            GateUp::Alternating(w) => {
                r.tap_pairs("ffn_gate", "ffn_up", h, w)?;
                r.matmul("ffn_gate_up", h, w, Output::Glu { y, act })
            }
            GateUp::Apart { ffn_gate, ffn_up } => {
                let (gate_bias, up_bias) = (ffn_gate.bias.as_ref(), ffn_up.bias.as_ref());
                r.tap_matmul("ffn_gate", "ffn_gate_b", h, &ffn_gate.weight, gate_bias)?;
                r.tap_matmul("ffn_up", "ffn_up_b", h, &ffn_up.weight, up_bias)?;
                let up = r.scratch("up", y.width)?;
                r.matmul("ffn_gate", h, &ffn_gate.weight, Output::Store { y, bias: gate_bias })?;
                r.matmul("ffn_up", h, &ffn_up.weight, Output::Store { y: &up, bias: up_bias })?;
                r.glu("ffn_act", act, &up, y)?;
                Ok(Input::Plain(y))
            }
        }
    }

    /// `x += down . ffn`
    fn ffn_down(&self, r: &mut Recorder<'_>, h: Input<'_>, w: &Linear, post_norm: Option<&'a Vector>) -> Result<()> {
        r.tap("ffn_act", &self.s.ffn)?;
        self.add_block(r, ["ffn_down", "ffn_out", "ffn_post_norm"], h, w, post_norm)
    }

    /// `x += sum_e weight_e * down_e . (silu(gate_e . h) * (up_e . h))` over the experts e that the router chooses.
    fn experts(&self, r: &mut Recorder<'_>, h: Input<'_>, w: &ExpertWeights) -> Result<()> {
        let (s, x) = (self.s, &self.s.x);
        let Some(Router { probs, routes }) = &s.router else {
            bail!(Internal, "a mixture of experts has no router");
        };
        r.matmul("ffn_gate_inp", h, &w.ffn_gate_inp, Output::Store { y: probs, bias: None })?;
        r.tap("ffn_moe_logits", probs)?;
        r.expert_route(probs, routes)?;
        r.tap("ffn_moe_probs", probs)?;
        r.tap_routes(routes)?;
        r.tap_expert_pairs(h, &w.ffn_gate_up_exps, routes)?;
        r.expert_matmul("ffn_gate_up_exps", (h, 1), &w.ffn_gate_up_exps, routes, ExpertOutput::Swiglu(&s.ffn))?;
        r.tap_expert_down(&s.ffn, &w.ffn_down_exps, routes)?;
        r.expert_sum("ffn_down_exps", &s.ffn, &w.ffn_down_exps, routes, x, self.c.residual_scale)
    }

    /// `x += w . input`, or `x += norm(w . input)` where the block's output is normed. The names are those of the
    /// matmul, of its result and of the normed result.
    fn add_block(
        &self,
        r: &mut Recorder<'_>,
        [matmul, result, normed]: [&str; 3],
        input: Input<'_>,
        w: &Linear,
        post_norm: Option<&'a Vector>,
    ) -> Result<()> {
        let (x, bias, scale) = (&self.s.x, w.bias.as_ref(), self.c.residual_scale);
        let product = if bias.is_some() { matmul } else { result };
        r.tap_matmul(product, result, input, &w.weight, bias)?;
        let Some(weight) = post_norm else {
            r.matmul(matmul, input, &w.weight, Output::Add { y: x, bias, scale })?;
            return Ok(());
        };
        let y = &self.s.block_out;
        r.matmul(matmul, input, &w.weight, Output::Store { y, bias })?;
        let h = Input::RmsNorm { x: y, weight, eps: self.c.norm.eps() };
        r.tap_norm(normed, h)?;
        r.add_input(normed, h, x, scale)
    }

    /// `logits = output . norm(x)`, of the first row.
    pub fn head(&self, r: &mut Recorder<'_>) -> Result<()> {
        let (c, y) = (self.c, &self.s.logits);
        let h = self.normed(&self.s.x, Some(&self.w.output_norm));
        r.tap_norm("result_norm", h)?;
        r.matmul("output", h, &self.w.output, Output::Logits { y, scale: c.logit_scale, softcap: c.logit_softcap })?;
        if let Some(bias) = &self.w.output_bias {
            r.tap("result_output_no_bias", y)?;
            r.add_input("output_bias", Input::Plain(bias), y, 1.0)?;
        }
        r.tap("result_output", y)
    }

    fn body(&self, r: &mut Recorder<'_>) -> Result<()> {
        self.embed(r)?;
        (0..self.c.n_layer()).try_for_each(|l| self.layer(r, l))
    }

    fn plans(&self, gpu: &Gpu, n_batch: u32) -> Result<Plans> {
        let record = |phase, walk: &dyn Fn(&mut Recorder<'_>) -> Result<()>| {
            let mut r = Recorder::new(gpu, &self.s.step, phase, n_batch);
            walk(&mut r)?;
            Ok(r.plan)
        };
        Ok(Plans {
            prefill: record(Phase::Prefill, &|r| self.body(r))?,
            decode_near: record(NEAR, &|r| self.body(r))?,
            decode_far: record(Phase::Decode { far: true }, &|r| self.body(r))?,
            last_row: record(NEAR, &|r| r.last_row(&self.s.x))?,
            head: record(NEAR, &|r| self.head(r))?,
            repeat_penalty: record(NEAR, &|r| r.repeat_penalty(&self.s.logits))?,
            greedy: record(NEAR, &|r| r.sample_greedy(&self.s.sampler, &self.s.logits))?,
            sample: record(NEAR, &|r| r.sample(&self.s.sampler, &self.s.logits))?,
        })
    }
}

impl Model {
    /// Load the model of a file whose header is read.
    ///
    /// # Errors
    /// `OutOfGpuMemory` with numbers where it does not fit; as [`super::read_header`] and [`Weights::allocate`].
    pub async fn load<S: ByteSource>(
        gpu: Gpu,
        source: &S,
        gguf: &Gguf,
        config: ModelConfig,
        options: &LoadOptions,
        events: &dyn LoadEvents,
    ) -> Result<Self> {
        let started = Instant::now();
        let budget = Budget { total: options.memory_budget, buffer: gpu.caps.max_binding_bytes };
        let kv_type = options.kv_type.unwrap_or(KvType::default_on(&gpu));
        let options = &LoadOptions { kv_type: Some(kv_type), ..options.clone() };
        let fit = Fit::of(gguf, &config, options, &budget)?;
        fit.check()?;
        let Need { n_ctx, n_batch, bytes, .. } = fit.need;
        let (weights, loads, run) = gpu
            .allocating("the model", || {
                let (weights, loads) = Weights::allocate(&gpu, gguf, &config)?;
                let run = RunState::new(&gpu, &config, n_ctx, n_batch, kv_type)?;
                Ok((weights, loads, run))
            })
            .await?;
        let forward = Forward { c: &config, w: &weights, s: &run };
        // Pipelines compile while weights download.
        let plans = forward.plans(&gpu, n_batch)?;
        events.check()?;
        let rope_factors = rope_factors(&gpu, gguf, &config, n_ctx)?;
        let mut loads = loads;
        loads.extend(rope_factors);
        loads.sort_by_key(|l| l.tensor.file_range.start);
        let mut times = LoadTimes { plans: ms(started), ..LoadTimes::default() };
        let recorded = Instant::now();
        // Neither waits for the other to end where one fails.
        (times.weights, times.compile) = try_join(
            async {
                stream_weights(&gpu, source, &loads, events).await?;
                Ok(ms(recorded))
            },
            async {
                gpu.compile().await?;
                Ok(ms(recorded))
            },
        )
        .await?;
        write_ropes(&gpu, &config, &run, &loads, n_ctx).await?;
        gpu.finish().await?;
        events.progress(LoadPhase::Ready, bytes.weights, bytes.weights, None);
        Ok(Model { gpu, config, bytes, times, n_ctx, n_batch, kv_type, weights, run, plans })
    }

    pub(super) fn forward(&self) -> Forward<'_> {
        Forward { c: &self.config, w: &self.weights, s: &self.run }
    }

    /// Dispatches of a greedy decode step behind a long context.
    #[must_use]
    pub fn decode_dispatches(&self) -> usize {
        [&self.plans.decode_far, &self.plans.head, &self.plans.greedy].map(Plan::n_dispatches).iter().sum()
    }

    /// Put `tokens` into the cache from position `pos` on, and sample the token after them.
    ///
    /// The sampled id is left on the GPU as the next step's token, and among the recent ids that `read` gets; returns its
    /// place there. `recent` are the ids that the repeat penalty looks back on, the last [`N_RECENT`] at most.
    ///
    /// # Errors
    /// `ContextOverflow` where they do not fit.
    pub fn prefill(
        &self,
        tokens: &[u32],
        pos: u32,
        recent: &[u32],
        sampling: &Sampling,
        read: &Readback,
    ) -> Result<u32> {
        if tokens.is_empty() {
            bail!(InvalidArgument, "there is no token to start from");
        }
        self.check_room(pos, tokens.len())?;
        let recent = &recent[recent.len().saturating_sub(N_RECENT as usize)..];
        self.gpu.write(&self.run.step.recent, 0, recent);
        let state = State {
            seed: sampling.seed,
            temperature: sampling.temperature,
            top_k: sampling.top_k,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            repeat_penalty: sampling.repeat_penalty,
            n_recent: recent.len() as u32,
            ..State::default()
        };
        let mut at = pos;
        let mut left = tokens;
        while !left.is_empty() {
            let (batch, rest) = left.split_at(left.len().min(self.n_batch as usize));
            let n_tokens = batch.len() as u32;
            self.gpu.write(&self.run.step.tokens, 0, batch);
            self.gpu.write(&self.run.step.state, 0, &[State { pos: at, n_tokens, ..state }]);
            let body = if n_tokens == 1 { self.decode_plan(at) } else { &self.plans.prefill };
            if rest.is_empty() {
                let plans = [body, &self.plans.last_row].into_iter().chain(self.sample(sampling));
                self.gpu.submit(plans, n_tokens, Some((&self.run.step.recent, read)));
            } else {
                self.gpu.submit([body], n_tokens, None);
            }
            at += n_tokens;
            left = rest;
        }
        Ok(state.n_recent % N_RECENT)
    }

    /// Run the token that the last step left on the GPU, at position `pos`, sample the next, and so on for `n_steps`
    /// positions. Their ids come into `read` behind those of the steps before, in a ring of [`N_RECENT`].
    pub fn decode(&self, pos: u32, n_steps: u32, sampling: &Sampling, read: &Readback) {
        let plans = (pos..pos + n_steps).flat_map(|pos| once(self.decode_plan(pos)).chain(self.sample(sampling)));
        self.gpu.submit(plans, 1, Some((&self.run.step.recent, read)));
    }

    fn decode_plan(&self, pos: u32) -> &Plan {
        if self.decode_phase(pos) == NEAR { &self.plans.decode_near } else { &self.plans.decode_far }
    }

    /// The phase of a step at position `pos`.
    pub(super) fn decode_phase(&self, pos: u32) -> Phase {
        Phase::Decode { far: pos >= Tuning::of(&self.gpu.caps).near }
    }

    /// From the last hidden state to the next id.
    fn sample(&self, sampling: &Sampling) -> impl Iterator<Item = &Plan> {
        let p = &self.plans;
        let penalty = (sampling.repeat_penalty != 1.0).then_some(&p.repeat_penalty);
        let sample = if sampling.temperature == 0.0 { &p.greedy } else { &p.sample };
        once(&p.head).chain(penalty).chain(once(sample))
    }

    /// GPU time of greedy decode steps from position `pos` on, or of a prefill of `n_tokens` from 0 on.
    ///
    /// # Errors
    /// As [`Gpu::profile`].
    pub async fn profile(&self, pos: u32, n_tokens: u32) -> Result<Profile> {
        let p = &self.plans;
        let (plans, n_positions) = if n_tokens == 1 {
            (vec![self.decode_plan(pos), &p.head, &p.greedy], REPEATS) // the sampler advances the position
        } else {
            (vec![&p.prefill], n_tokens as usize)
        };
        self.check_room(pos, n_positions)?;
        let state = [State { pos, n_tokens, ..State::default() }];
        self.gpu.profile(&plans, n_tokens, || self.gpu.write(&self.run.step.state, 0, &state)).await
    }

    /// # Errors
    /// `ContextOverflow` where `n` tokens from `pos` on do not fit the cache.
    pub fn check_room(&self, pos: u32, n: usize) -> Result<()> {
        if n > self.n_ctx.saturating_sub(pos) as usize {
            bail!(ContextOverflow, "{n} tokens after {pos} do not fit the context of {}", self.n_ctx);
        }
        Ok(())
    }

    /// Whether the sequence in the cache can go on from position `pos`, where `n_written` positions of it have been
    /// written: not where the ring of a sliding window has already lost what `pos` looks back on.
    #[must_use]
    pub fn can_resume(&self, pos: u32, n_written: u32) -> bool {
        self.config.layers.iter().zip(&self.run.caches).all(|(layer, cache)| {
            let oldest_held = n_written.saturating_sub(cache.capacity);
            let oldest_needed = (pos + 1).saturating_sub(layer.window.unwrap_or(u32::MAX));
            oldest_held <= oldest_needed
        })
    }

    /// The logits of the last step, `(V)`.
    ///
    /// # Errors
    /// As [`Gpu::read`].
    pub async fn logits(&self) -> Result<Vec<f32>> {
        self.gpu.read(&self.run.logits.buffer, self.config.n_vocab as usize).await
    }
}

/// The load of the divisors of rotary frequencies, where the file has them.
fn rope_factors(gpu: &Gpu, gguf: &Gguf, c: &ModelConfig, n_ctx: u32) -> Result<Option<Load>> {
    let Some(rope) = c.ropes.first() else { return Ok(None) };
    let names = [ROPE_FREQS, if n_ctx > c.n_ctx_orig { ROPE_FACTORS_LONG } else { ROPE_FACTORS_SHORT }];
    let Some(t) = names.iter().find_map(|name| gguf.tensor(name)) else { return Ok(None) };
    if t.shape != [u64::from(rope.n_rot / 2)] || t.ty != GgmlType::F32 {
        bail!(MalformedGguf, "tensor '{}' is {} {:?}, F32 [{}] is needed", t.name, t.ty, t.shape, rope.n_rot / 2);
    }
    let buffer = gpu.buffer(&t.name, u64::from(rope.n_rot) * 2, Usage::Storage)?;
    Ok(Some(Load { tensor: t.clone(), destination: Destination::Bytes { buffer, at_bytes: 0 } }))
}

/// Fill the rotary tables, some rows at a time: they may be megabytes.
async fn write_ropes(gpu: &Gpu, c: &ModelConfig, run: &RunState, loads: &[Load], n_ctx: u32) -> Result<()> {
    for (config, rope) in c.ropes.iter().zip(&run.ropes) {
        let is_factors = |name: &str| [ROPE_FREQS, ROPE_FACTORS_LONG, ROPE_FACTORS_SHORT].contains(&name);
        let factors = match loads.iter().find(|l| is_factors(&l.tensor.name)) {
            Some(Load { tensor, destination: Destination::Bytes { buffer, .. } }) => {
                let factors = gpu.read::<f32>(buffer, rope.n_rot as usize / 2).await?;
                if let Some(wrong) = factors.iter().find(|f| !f.is_normal()) {
                    bail!(MalformedGguf, "tensor '{}' divides frequencies by {wrong}", tensor.name);
                }
                Some(factors)
            }
            _ => None,
        };
        let (frequencies, magnitude) = rope::frequencies(config, factors.as_deref());
        let rows_at_a_time = 256;
        for pos0 in (0..n_ctx).step_by(rows_at_a_time) {
            let rows: Vec<f32> = (pos0..n_ctx.min(pos0 + rows_at_a_time as u32))
                .flat_map(|pos| rope::row(pos, &frequencies, magnitude))
                .collect();
            gpu.write(&rope.table, u64::from(pos0) * u64::from(rope.n_rot) * 4, &rows);
        }
    }
    Ok(())
}
