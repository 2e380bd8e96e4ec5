//! The feed-forward block as a mixture of experts (arXiv:1701.06538).

use std::rc::Rc;

use super::super::config;
use super::super::weights::Builder;
use super::shared_expert::SharedExpert;
use super::{Block, InputNorm, State};
use crate::error::{Result, bail};
use crate::gpu::Allocate;
use crate::ops::{ExpertMatrix, ExpertOutput, Gate, Matrix, Output, Recorder, Routes, Tensor, Vector};

/// `x += sum_e weight_e * down_e . (silu(gate_e . h) * (up_e . h))` over the experts e that the router chooses for
/// `h = norm(x)`, and a shared expert's in some models.
pub struct Experts {
    norm: InputNorm,
    /// The router, `(E, C)`.
    ffn_gate_inp: Rc<Matrix>,
    /// The rows of gate and up in turn, `(E, 2 F, C)`.
    ffn_gate_up_exps: ExpertMatrix,
    /// `(E, C, F)`
    ffn_down_exps: ExpertMatrix,
    /// What is added to probabilities for the choice, `(E)`, where the router takes sigmoids.
    exp_probs_b: Option<Vector>,
    shared: Option<SharedExpert>,
    residual_scale: f32,
    /// `(T, E)`
    probs: Tensor,
    routes: Rc<Routes>,
    /// `(T, n_used, F)`
    ffn: Tensor,
}

impl Experts {
    /// The file has the matrices of all experts as one tensor `(E, N, K)` each.
    ///
    /// # Errors
    /// `MalformedGguf` or `UnsupportedTensorType` naming a tensor.
    pub fn new(b: &mut Builder<'_>, l: u32, n_expert: u32, n_used: u32, gating: config::Gate) -> Result<Self> {
        let (c, blk) = (b.c, format!("blk.{l}"));
        let norm = InputNorm::of_block(b, &blk, "ffn_norm")?;
        let name = |n: &str| format!("{blk}.ffn_{n}_exps.weight");
        let [gate, up] = [name("gate"), name("up")].map(|n| b.tensor(&n, &[n_expert, c.n_ff, c.n_embd]));
        let (gate, up) = (gate?, up?);
        if gate.ty != up.ty {
            bail!(
                UnsupportedTensorType,
                "tensors '{}' and '{}' have types {} and {}; those of experts must be the same",
                gate.name,
                up.name,
                gate.ty,
                up.ty
            );
        }
        let gate_up = b.alternating([gate, up], 2 * c.n_ff, c.n_embd)?;
        let down = b.tensor(&name("down"), &[n_expert, c.n_embd, c.n_ff])?;
        let down = b.in_units(down, c.n_embd)?;
        Ok(Experts {
            norm,
            ffn_gate_inp: b.stacked(&[(format!("{blk}.ffn_gate_inp.weight"), n_expert)], c.n_embd)?,
            ffn_gate_up_exps: ExpertMatrix { matrix: gate_up, n_expert },
            ffn_down_exps: ExpertMatrix { matrix: down, n_expert },
            exp_probs_b: match gating {
                config::Gate::Softmax => None,
                config::Gate::Sigmoid => Some(b.vector(&format!("{blk}.exp_probs_b.bias"), n_expert)?),
            },
            shared: if c.n_ff_shared > 0 { Some(SharedExpert::new(b, &blk, c.n_ff_shared)?) } else { None },
            residual_scale: c.residual_scale,
            probs: b.scratch("probs", 1, n_expert)?,
            routes: b.routes(n_used)?,
            ffn: b.scratch("ffn_exps", n_used, c.n_ff)?,
        })
    }
}

impl Block for Experts {
    fn state(&self, _: &dyn Allocate) -> Result<State> {
        Ok(State::None)
    }

    fn record(&self, r: &mut Recorder<'_>, x: &Tensor, _: &State) -> Result<()> {
        let (probs, routes) = (&self.probs, &*self.routes);
        let h = self.norm.record(r, x)?;
        r.matmul("ffn_gate_inp", h, &self.ffn_gate_inp, Output::Store { y: probs, bias: None })?;
        let gate = self.exp_probs_b.as_ref().map_or(Gate::Softmax, |bias| Gate::Sigmoid { bias });
        r.expert_route(probs, gate, routes)?;
        r.expert_matmul("ffn_gate_up_exps", (h, 1), &self.ffn_gate_up_exps, routes, ExpertOutput::Swiglu(&self.ffn))?;
        if let Some(shared) = &self.shared {
            shared.record(r, h)?;
        }
        r.expert_sum("ffn_down_exps", &self.ffn, &self.ffn_down_exps, routes, x, self.residual_scale)?;
        self.shared.as_ref().map_or(Ok(()), |shared| shared.record_sum(r, x))
    }
}
