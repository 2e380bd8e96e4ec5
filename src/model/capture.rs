//! Captures: every named intermediate of a prefill and of decode steps, under llama.cpp's node names.

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
        self.gpu.submit(&[&body.plan, &head.plan], n_tokens, None);
        let mut activations = Vec::new();
        for tap in body.taps.iter().chain(&head.taps) {
            activations.push(self.read_tap(tap).await?);
        }
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
            _ => push(&base, &same),
        }
    }
    if c.arch == "phi3" {
        join_gate_and_up(&mut out);
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
