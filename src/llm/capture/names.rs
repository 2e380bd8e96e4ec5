//! llama.cpp's names of intermediates, an architecture at a time.

use super::{Activation, delta_net};
use crate::llm::config::{Ffn, ModelConfig};
use crate::ops::{Act, LEAST_WEIGHTS_SUM};

/// What llama.cpp's graph does with a value beside naming it: steps of its own for what our kernels do in one.
#[derive(Clone, Copy)]
enum Map {
    Same,
    /// Times the scale of attention.
    Scaled,
    /// The steps of a soft cap: divided by it, its tanh, the tanh times the cap.
    OverCap,
    Tanh,
    Capped,
    /// The bits are an integer.
    Integer,
}

use Map::*;

/// One of our nodes, and the nodes of an architecture's graph that it is.
type Row = (&'static str, &'static [(&'static str, Map)]);

/// Queries are scaled, not scores.
const SCALED_SCORES: Row = ("kq", &[("kq", Scaled)]);
const GEMMA: [Row; 3] =
    [("embd.unscaled", &[("embd", Same)]), ("embd", &[("inp_scaled", Same)]), ("ffn_inp", &[("sa_out", Same)])];
const CAPPED_SCORES: Row =
    ("kq", &[("kq", Scaled), ("kq_scaled_1", OverCap), ("kq_tanh", Tanh), ("kq_scaled_2", Capped)]);
const GEMMA_QUERIES: Row = ("Qcur", &[("Qcur", Same), ("Qcur_scaled", Scaled)]);
const PHI3_QUERIES: Row = ("Qcur", &[("Qcur.pre_scale", Same), ("Qcur", Scaled)]);

/// The architectures whose graphs name nodes otherwise than most; what is in no row keeps its name.
const ARCHITECTURES: [(&str, &[Row]); 4] = [
    ("gemma", &[GEMMA[0], GEMMA[1], GEMMA[2], GEMMA_QUERIES, SCALED_SCORES]),
    ("gemma2", &[GEMMA[0], GEMMA[1], GEMMA[2], CAPPED_SCORES]),
    ("gemma3", &[GEMMA[0], GEMMA[1], GEMMA[2], SCALED_SCORES]),
    ("phi3", &[PHI3_QUERIES, SCALED_SCORES]),
];

/// Of all other architectures.
const DEFAULTS: [Row; 2] = [("embd.unscaled", &[]), ("ffn_moe_topk.bits", &[("ffn_moe_topk", Integer)])];

/// Activations under the names that llama.cpp's graph of this architecture gives them.
pub fn llama_cpp(c: &ModelConfig, activations: Vec<Activation>) -> Vec<Activation> {
    let own = ARCHITECTURES.iter().find(|(arch, _)| *arch == c.arch).map_or(&[][..], |(_, rows)| rows);
    let ffn_act = match c.ffn {
        Ffn::Gated(Act::Silu) => "ffn_swiglu",
        Ffn::Gated(Act::Gelu) => "ffn_geglu",
        Ffn::Gelu => "ffn_gelu",
        // Of layers before them; experts have names of their own.
        Ffn::Experts { .. } => "ffn_swiglu",
    };
    let mut out: Vec<Activation> = Vec::new();
    for a in activations {
        let (base, layer) = a.name.rsplit_once('-').map_or((a.name.as_str(), ""), |(base, layer)| (base, layer));
        let row = own.iter().chain(&DEFAULTS).find(|(name, _)| *name == base);
        let kept = [(if base == "ffn_act" { ffn_act } else { base }, Same)];
        for &(name, map) in row.map_or(&kept[..], |(_, nodes)| nodes) {
            let name = if layer.is_empty() { name.to_owned() } else { format!("{name}-{layer}") };
            let data = a.data.iter().map(|&v| map.apply(v, c)).collect();
            out.push(Activation { name, data, ..a });
        }
    }
    if c.arch == "phi3" {
        join_gate_and_up(&mut out);
    }
    finish_short_convolutions(&mut out);
    finish_gates(&mut out);
    delta_net::finish(c, &mut out);
    if let Ffn::Experts { n_used, .. } = c.ffn {
        finish_experts(&mut out, n_used as usize);
        finish_shared_experts(&mut out);
    }
    out
}

impl Map {
    fn apply(self, v: f32, c: &ModelConfig) -> f32 {
        let cap = c.attention_softcap.unwrap_or(f32::INFINITY);
        let over_cap = v * c.attention_scale / cap;
        match self {
            Same => v,
            Scaled => v * c.attention_scale,
            OverCap => over_cap,
            Tanh => over_cap.tanh(),
            Capped => over_cap.tanh() * cap,
            Integer => v.to_bits() as f32,
        }
    }
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

/// The sums of short convolutions before the gate `c` of `conv.in_proj (T, b c x)`, which our kernel multiplies with.
fn finish_short_convolutions(activations: &mut [Activation]) {
    for i in 0..activations.len() {
        let Some(layer) = activations[i].name.strip_prefix("conv.gated-") else { continue };
        let (name, in_proj) = (format!("conv.conv-{layer}"), format!("conv.in_proj-{layer}"));
        let Some(bcx) = activations.iter().find(|a| a.name == in_proj) else { continue };
        let gated = &activations[i];
        let gates = bcx.data.chunks(gated.width).skip(1).step_by(3).flatten();
        let data = gated.data.iter().zip(gates).map(|(y, c)| y / c).collect();
        activations[i] = Activation { name, data, ..gated.clone() };
    }
}

/// Gates of attention, and what they are multiplied with in our kernels: `attn_gated`.
fn finish_gates(activations: &mut Vec<Activation>) {
    let mut nodes = Vec::new();
    for gated in activations.iter() {
        let Some(layer) = gated.name.strip_prefix("attn_gated-") else { continue };
        let gate = format!("gate_reshaped-{layer}");
        let Some(gate) = activations.iter().find(|a| a.name == gate) else { continue };
        let sigmoid: Vec<f32> = gate.data.iter().map(|v| 1.0 / (1.0 + (-v).exp())).collect();
        let kqv = gated.data.iter().zip(&sigmoid).map(|(v, gate)| v / gate).collect();
        for (name, data) in [("kqv_out", kqv), ("gate_sigmoid", sigmoid)] {
            nodes.push(Activation { name: format!("{name}-{layer}"), data, ..gated.clone() });
        }
    }
    insert_before_logits(activations, nodes);
}

/// Add nodes where readers of the last one, the logits, don't mind.
pub fn insert_before_logits(activations: &mut Vec<Activation>, nodes: Vec<Activation>) {
    let at = activations.len().saturating_sub(1);
    activations.splice(at..at, nodes);
}

/// The gate of an expert of all tokens, what it multiplies, and the sum with the other experts.
fn finish_shared_experts(activations: &mut Vec<Activation>) {
    let mut nodes = Vec::new();
    for gate in activations.iter() {
        let Some(layer) = gate.name.strip_prefix("shared_expert_gate-") else { continue };
        let find = |name: &str| activations.iter().find(|a| a.name == format!("{name}-{layer}"));
        let (Some(shared), Some(others)) = (find("ffn_shexp"), find("ffn_moe_out")) else { continue };
        let sigmoid: Vec<f32> = gate.data.iter().map(|v| 1.0 / (1.0 + (-v).exp())).collect();
        let rows = shared.data.chunks(shared.width).zip(&sigmoid);
        let gated: Vec<f32> = rows.flat_map(|(row, gate)| row.iter().map(move |v| v * gate)).collect();
        let sum = gated.iter().zip(&others.data).map(|(a, b)| a + b).collect();
        let named = |name: &str, data: Vec<f32>, like: &Activation| Activation {
            name: format!("{name}-{layer}"),
            data,
            ..like.clone()
        };
        nodes.push(named("ffn_shexp_gated", gated, shared));
        nodes.push(named("ffn_out", sum, shared));
        nodes.push(named("shared_expert_gate_sigmoid", sigmoid, gate));
    }
    insert_before_logits(activations, nodes);
}

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
        let biased = find("ffn_moe_bias").map(|bias| {
            let data = probs.data.chunks(probs.width).flat_map(|p| p.iter().zip(&bias.data).map(|(p, b)| p + b));
            node("ffn_moe_probs_biased", data.collect())
        });
        let nodes = [
            node("ffn_moe_weights", chosen),
            node("ffn_moe_weights_sum", sums),
            node("ffn_moe_weights_sum_clamped", clamped),
            node("ffn_moe_weighted", weighted),
        ];
        let at = activations.iter().position(|a| a.name == format!("l_out-{layer}")).unwrap_or(activations.len());
        activations.splice(at..at, nodes.into_iter().chain(biased));
    }
}
