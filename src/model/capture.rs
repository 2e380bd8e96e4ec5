//! Captures: every named intermediate of a prefill and of decode steps, under llama.cpp's node names.

use futures_util::future::try_join_all;

use super::Model;
use super::config::{Ffn, ModelConfig};
use crate::error::{Result, bail};
use crate::gpu::State;
use crate::ops::{Act, Phase, Recorder, Tap};

/// A named intermediate.
#[derive(Debug, Clone, PartialEq)]
pub struct Activation {
    /// llama.cpp's node name: `attn_norm-0`, `result_output`.
    pub name: String,
    /// `(rows, width)`: rows are tokens; of `kq` and `kq_soft_max` heads and tokens, width positions.
    pub rows: usize,
    pub width: usize,
    pub data: Vec<f32>,
}

impl Model {
    /// Run `tokens` from position `pos` on as one batch, or a single one as a decode step, and return its
    /// intermediates in order.
    ///
    /// # Errors
    /// `ContextOverflow` where they do not fit; `OutOfGpuMemory` where the copies do not.
    pub async fn capture(&self, tokens: &[u32], pos: u32, decode: bool) -> Result<Vec<Activation>> {
        self.check_room(pos, tokens.len())?;
        if tokens.len() > self.n_batch as usize {
            bail!(
                InvalidArgument,
                "{} tokens are captured as one batch, up to {} are allowed",
                tokens.len(),
                self.n_batch
            );
        }
        let phase = if decode { self.decode_phase(pos) } else { Phase::Prefill };
        let n_tokens = tokens.len() as u32;
        let n_pos = pos + n_tokens;
        let forward = self.forward();
        let mut body = Recorder::capturing(&self.gpu, &self.run.step, phase, n_tokens, n_pos);
        forward.embed(&mut body)?;
        for l in 0..self.config.n_layer() {
            forward.layer(&mut body, l)?;
        }
        let mut head = Recorder::capturing(&self.gpu, &self.run.step, Phase::Decode { far: false }, 1, n_pos);
        head.last_row(&self.run.x)?;
        forward.head(&mut head)?;
        self.gpu.write(&self.run.step.tokens, 0, tokens);
        self.gpu.write(&self.run.step.state, 0, &[State { pos, n_tokens, ..State::default() }]);
        self.gpu.submit([&body.plan, &head.plan], n_tokens, None);
        // One wait for all: a browser may take milliseconds to say that a buffer is here.
        let activations = try_join_all(body.taps.iter().chain(&head.taps).map(|tap| self.read_tap(tap))).await?;
        Ok(llama_cpp_names(&self.config, activations))
    }

    async fn read_tap(&self, tap: &Tap) -> Result<Activation> {
        let raw: Vec<f32> = self.gpu.read(&tap.copy, (tap.rows * tap.stride) as usize).await?;
        let data = raw
            .chunks_exact(tap.stride as usize)
            .flat_map(|row| row.iter().skip(tap.offset as usize).step_by(tap.step as usize).take(tap.width as usize))
            .copied()
            .collect();
        Ok(Activation { name: tap.name.clone(), rows: tap.rows as usize, width: tap.width as usize, data })
    }
}

/// Activations under the names that llama.cpp's graph of this architecture gives them.
///
/// Where its graph has a step of its own for what our kernels do in one (the scale of queries, the soft cap of
/// scores), that step is done here.
fn llama_cpp_names(c: &ModelConfig, activations: Vec<Activation>) -> Vec<Activation> {
    let gemma = c.arch.starts_with("gemma");
    let scales_query = gemma || c.arch == "phi3";
    let mut out: Vec<Activation> = Vec::new();
    for a in activations {
        let (base, layer) = match a.name.rsplit_once('-') {
            Some((base, layer)) => (base.to_owned(), format!("-{layer}")),
            None => (a.name.clone(), String::new()),
        };
        let mut push = |name: &str, map: &dyn Fn(f32) -> f32| {
            let data = a.data.iter().map(|&v| map(v)).collect();
            out.push(Activation { name: format!("{name}{layer}"), data, ..a });
        };
        let same = |v| v;
        match base.as_str() {
            "embd.unscaled" if !gemma => {}
            "embd.unscaled" => push("embd", &same),
            "embd" if gemma => push("inp_scaled", &same),
            "ffn_inp" if gemma => push("sa_out", &same),
            "ffn_act" => push(
                match c.ffn {
                    Ffn::Gated(Act::Silu) => "ffn_swiglu",
                    Ffn::Gated(Act::Gelu) => "ffn_geglu",
                    Ffn::Gelu => "ffn_gelu",
                    // Experts have names of their own.
                    Ffn::Experts { .. } => "ffn_moe_swiglu",
                },
                &same,
            ),
            "Qcur" if c.arch == "gemma" => {
                push("Qcur", &same);
                push("Qcur_scaled", &|v| v * c.attention_scale);
            }
            "Qcur" if c.arch == "phi3" => {
                push("Qcur.pre_scale", &same);
                push("Qcur", &|v| v * c.attention_scale);
            }
            "kq" if scales_query => {
                push("kq", &|v| v * c.attention_scale);
                if let Some(cap) = c.attention_softcap {
                    push("kq_scaled_1", &|v| v * c.attention_scale / cap);
                    push("kq_tanh", &|v| (v * c.attention_scale / cap).tanh());
                    push("kq_scaled_2", &|v| (v * c.attention_scale / cap).tanh() * cap);
                }
            }
            "ffn_moe_topk.bits" => push("ffn_moe_topk", &|v| v.to_bits() as f32),
            _ => push(&base, &same),
        }
    }
    if c.arch == "phi3" {
        join_gate_and_up(&mut out);
    }
    if let Ffn::Experts { n_used, .. } = c.ffn {
        finish_experts(&mut out, n_used as usize);
    }
    out
}

/// Phi 3's `ffn_up` is gate and up of each token, one after the other.
fn join_gate_and_up(activations: &mut [Activation]) {
    for i in 0..activations.len() {
        let Some(layer) = activations[i].name.strip_prefix("ffn_up-") else { continue };
        let gate = format!("ffn_gate-{layer}");
        let Some(gate) = activations.iter().find(|a| a.name == gate) else { continue };
        let up = &activations[i];
        let data =
            gate.data.chunks(up.width).zip(up.data.chunks(up.width)).flat_map(|(g, u)| [g, u].concat()).collect();
        activations[i] = Activation { data, width: 2 * up.width, ..up.clone() };
    }
}

/// The least sum that llama.cpp divides the weights of a token's experts by.
const LEAST_WEIGHTS_SUM: f32 = 6.103_515_6e-5;

/// Experts' rows `(T n_used, ..)` as llama.cpp has them, `(T, n_used ..)`, and the nodes between the router's
/// probabilities and its weights.
fn finish_experts(activations: &mut Vec<Activation>, n_used: usize) {
    let per_expert = ["ffn_moe_gate-", "ffn_moe_up-", "ffn_moe_swiglu-", "ffn_moe_down-"];
    for a in activations.iter_mut().filter(|a| per_expert.iter().any(|name| a.name.starts_with(name))) {
        (a.rows, a.width) = (a.rows / n_used, a.width * n_used);
    }
    let layers: Vec<String> =
        activations.iter().filter_map(|a| a.name.strip_prefix("ffn_moe_topk-").map(str::to_owned)).collect();
    for layer in layers {
        let find = |name: &str| activations.iter().find(|a| a.name == format!("{name}-{layer}"));
        let (Some(probs), Some(top)) = (find("ffn_moe_probs"), find("ffn_moe_topk")) else { continue };
        let (Some(weights), Some(down)) = (find("ffn_moe_weights_norm"), find("ffn_moe_down")) else { continue };
        let rows = top.rows;
        let node = |name: &str, data: Vec<f32>| Activation {
            name: format!("{name}-{layer}"),
            rows,
            width: data.len() / rows,
            data,
        };
        let chosen: Vec<f32> = (probs.data.chunks(probs.width).zip(top.data.chunks(n_used)))
            .flat_map(|(p, ids)| ids.iter().map(|&id| p.get(id as usize).copied().unwrap_or(f32::NAN)))
            .collect();
        let sums: Vec<f32> = chosen.chunks(n_used).map(|w| w.iter().sum()).collect();
        let clamped = sums.iter().map(|s| s.max(LEAST_WEIGHTS_SUM)).collect();
        let weighted = (down.data.chunks(down.width / n_used).zip(&weights.data))
            .flat_map(|(row, w)| row.iter().map(move |v| v * w))
            .collect();
        let nodes = [
            node("ffn_moe_weights", chosen),
            node("ffn_moe_weights_sum", sums),
            node("ffn_moe_weights_sum_clamped", clamped),
            node("ffn_moe_weighted", weighted),
        ];
        let at = activations.iter().position(|a| a.name == format!("l_out-{layer}")).unwrap_or(activations.len());
        activations.splice(at..at, nodes);
    }
}
