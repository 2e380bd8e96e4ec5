//! Watches the forward pass while it is recorded, and copies every intermediate out. Those that fused kernels never
//! write are computed by the same kernels' parts from what the plan does write.

mod delta_net;

use std::rc::Rc;

use super::super::config::{ModelConfig, QkNorm};
use crate::error::Result;
use crate::gpu::{Buffer, Usage};
use crate::ops::{
    Attention, ExpertMatrix, ExpertOutput, Gate, Index, Input, Matrix, Normed, Observer, Op, Output, Phase,
    QkNormWeights, Recorder, Routes, Tensor, Vector,
};

/// A named intermediate: some columns of a copy of a tensor's rows.
pub struct Tap {
    /// llama.cpp's node name, with the layer: `attn_norm-0`.
    pub name: String,
    pub copy: Rc<Buffer>,
    pub rows: u32,
    /// Elements from one row to the next.
    pub stride: u32,
    /// The columns: `offset + step * (0..width)`.
    pub offset: u32,
    pub step: u32,
    pub width: u32,
}

/// The columns of a node: `(name, offset, step, width)`.
type Columns<'a> = (&'a str, u32, u32, u32);

/// The intermediates of a batch.
pub struct Taps<'a> {
    c: &'a ModelConfig,
    pub list: Vec<Tap>,
    /// Rows of the tensors that are copied.
    pub n_rows: u32,
    /// Positions that the cache holds after the batch.
    n_pos: u32,
}

/// What an op of this name names, beside its operands: the product before and after its bias, the input, and what the
/// op leaves in y.
struct Nodes {
    op: &'static str,
    input: Option<&'static str>,
    products: [&'static str; 2],
    y: Option<&'static str>,
}

/// The matmuls whose products are nodes.
const MATMULS: [Nodes; 10] = [
    Nodes { op: "attn_output", input: None, products: ["attn_output", "attn_out"], y: Some("ffn_inp") },
    Nodes { op: "shortconv.in_proj", input: None, products: ["conv.in_proj", "conv.in_proj"], y: None },
    Nodes { op: "shortconv.out_proj", input: None, products: ["", "conv.out_proj"], y: Some("ffn_inp") },
    Nodes { op: "ssm_out", input: None, products: ["", "linear_attn_out"], y: Some("ffn_inp") },
    Nodes { op: "ffn_gate", input: None, products: ["ffn_gate", "ffn_gate_b"], y: None },
    Nodes { op: "ffn_up", input: None, products: ["ffn_up", "ffn_up_b"], y: None },
    Nodes { op: "ffn_down", input: Some("ffn_act"), products: ["ffn_down", "ffn_out"], y: Some("l_out") },
    Nodes { op: "ffn_gate_inp", input: None, products: ["", ""], y: Some("ffn_moe_logits") },
    Nodes { op: "ffn_gate_inp_shexp", input: None, products: ["", ""], y: Some("shared_expert_gate") },
    Nodes { op: "ffn_down_shexp", input: Some("ffn_act"), products: ["", ""], y: Some("ffn_shexp") },
];

/// What an op that adds to the residual stream leaves there.
const SUMS: [(&str, &str); 3] =
    [("attn_post_norm", "ffn_inp"), ("ffn_post_norm", "l_out"), ("output_bias", "result_output")];

impl Observer for Taps<'_> {
    fn before(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()> {
        match *op {
            Op::Embed { table, index, .. } => {
                let y = Tensor::new(r.gpu, "tap", self.n_rows, table.cols)?;
                let name = if index == Index::Token { "embd.unscaled" } else { "pos_embd" };
                r.embed(name, table, index, 1.0, &y)?;
                self.tensor(r, name, &y)
            }
            Op::Norm { name, input } => self.norm(r, name, input),
            Op::AddInput { name, input, .. } if name != "output_bias" => self.norm(r, name, input),
            Op::Matmul { name: "attn_qkv", input, w, output } => self.projections(r, input, w, output.bias()),
            Op::Matmul { name: "ssm_in", input, w, .. } => self.delta_projections(r, input, w),
            Op::Matmul { name: "ffn_gate_up", input, w, .. } => {
                let half = w.rows / 2;
                self.product(r, input, w, None, &[("ffn_gate", 0, 2, half), ("ffn_up", 1, 2, half)])
            }
            Op::Matmul { name, input, w, output } => {
                let Some(nodes) = MATMULS.iter().find(|n| n.op == name) else { return Ok(()) };
                if let (Some(name), Input::Plain(x) | Input::Digits(x)) = (nodes.input, input) {
                    self.tensor(r, name, x)?;
                }
                let [product, biased] = nodes.products;
                let bias = output.bias();
                // A block's output without a bias goes by the name of its result.
                let product = if bias.is_none() && nodes.y.is_some() { biased } else { product };
                if product.is_empty() {
                    return Ok(());
                }
                self.product(r, input, w, None, &[(product, 0, 1, w.rows)])?;
                if bias.is_some() { self.product(r, input, w, bias, &[(biased, 0, 1, w.rows)]) } else { Ok(()) }
            }
            Op::Attention { a, qkv, .. } => self.head_norms(r, a, qkv),
            Op::DeltaNet { net, x, y } => self.delta_net(r, net, x, y),
            Op::ExpertMatmul { input, w, routes, .. } => self.expert_pairs(r, input, w, routes),
            Op::ExpertSum { x, w, routes, .. } => self.expert_down(r, x, w, routes),
            Op::AddInput { .. }
            | Op::AddGated { .. }
            | Op::ExpertRoute { .. }
            | Op::ShortConv { .. }
            | Op::Packed { .. }
            | Op::Image { .. } => Ok(()),
        }
    }

    fn after(&mut self, r: &mut Recorder<'_>, op: &Op<'_>) -> Result<()> {
        match *op {
            Op::Embed { index, x, .. } => self.tensor(r, if index == Index::Token { "embd" } else { "inpL" }, x),
            // With a bias to come, the logits are not complete.
            Op::Matmul { name: "output", output: Output::Logits { y, .. }, .. } => self.tensor(r, "result_output", y),
            Op::Matmul { name, output: Output::Add { y, .. }, .. }
            | Op::Matmul {
                name: name @ ("ffn_gate_inp" | "ffn_gate_inp_shexp" | "ffn_down_shexp"),
                output: Output::Store { y, .. },
                ..
            } => match MATMULS.iter().find(|n| n.op == name).and_then(|n| n.y) {
                Some(node) => self.tensor(r, node, y),
                None => Ok(()),
            },
            Op::AddInput { name, y, .. } => match SUMS.iter().find(|(op, _)| *op == name) {
                Some((_, node)) => {
                    if name == "output_bias" {
                        self.rename("result_output", "result_output_no_bias");
                    }
                    self.tensor(r, node, y)
                }
                None => Ok(()),
            },
            Op::Attention { a, qkv, out } => self.attention(r, a, qkv, out),
            Op::ShortConv { y, .. } => self.tensor(r, "conv.gated", y),
            Op::DeltaNet { net, y, .. } => self.delta_state(r, net, y),
            Op::ExpertRoute { probs, gate, routes } => {
                if let Gate::Sigmoid { bias } = gate {
                    self.rows(r, &bias.buffer, 1, bias.len, &[("ffn_moe_bias", 0, 1, bias.len)])?;
                }
                self.tensor(r, "ffn_moe_probs", probs)?;
                let n = routes.n_used;
                let columns = [("ffn_moe_topk.bits", 0, 2, n), ("ffn_moe_weights_norm", 1, 2, n)];
                self.rows(r, routes.buffer(), self.n_rows, 2 * n, &columns)
            }
            Op::ExpertSum { y, .. } => self.tensor(r, "l_out", y),
            Op::AddGated { y } => {
                // The other experts' sum was not the layer's.
                let name = node_name(r, "l_out");
                self.list.retain(|tap| tap.name != name);
                self.tensor(r, "l_out", y)
            }
            Op::Norm { .. } | Op::Matmul { .. } | Op::ExpertMatmul { .. } | Op::Packed { .. } | Op::Image { .. } => {
                Ok(())
            }
        }
    }
}

/// `attn_norm-0`
fn node_name(r: &Recorder<'_>, name: &str) -> String {
    r.layer().map_or_else(|| name.to_owned(), |l| format!("{name}-{l}"))
}

impl<'a> Taps<'a> {
    /// Of a batch of `n_rows` tokens, after which the cache holds `n_pos` positions.
    pub fn new(c: &'a ModelConfig, n_rows: u32, n_pos: u32) -> Self {
        Taps { c, list: Vec::new(), n_rows, n_pos }
    }

    fn rename(&mut self, from: &str, to: &str) {
        if let Some(tap) = self.list.iter_mut().find(|tap| tap.name == from) {
            to.clone_into(&mut tap.name);
        }
    }

    /// Name the rows of a tensor as they are now.
    fn tensor(&mut self, r: &mut Recorder<'_>, name: &str, tensor: &Tensor) -> Result<()> {
        self.columns(r, tensor, &[(name, 0, 1, tensor.width)])
    }

    /// Name columns of a tensor as they are now.
    fn columns(&mut self, r: &mut Recorder<'_>, tensor: &Tensor, columns: &[Columns<'_>]) -> Result<()> {
        self.rows(r, &tensor.buffer, self.n_rows, tensor.stride(), columns)
    }

    /// Name columns of a buffer of `(rows, stride)` as they are now.
    fn rows(
        &mut self,
        r: &mut Recorder<'_>,
        buffer: &Rc<Buffer>,
        rows: u32,
        stride: u32,
        columns: &[Columns<'_>],
    ) -> Result<()> {
        let bytes = u64::from(rows) * u64::from(stride) * 4;
        let copy = r.gpu.buffer("capture", bytes, Usage::Storage)?;
        r.plan.copy(buffer.clone(), copy.clone(), bytes);
        for &(name, offset, step, width) in columns {
            let name = node_name(r, name);
            self.list.push(Tap { name, copy: copy.clone(), rows, stride, offset, step, width });
        }
        Ok(())
    }

    fn copy_of(&self, r: &mut Recorder<'_>, t: &Tensor) -> Result<Tensor> {
        let copy = Tensor::new(r.gpu, "tap", self.n_rows, t.width)?;
        let bytes = u64::from(self.n_rows) * u64::from(t.stride()) * 4;
        r.plan.copy(t.buffer.clone(), copy.buffer.clone(), bytes);
        Ok(copy)
    }

    /// Name a norm, and what it is before its weight and before its bias.
    fn norm(&mut self, r: &mut Recorder<'_>, name: &str, input: Input<'_>) -> Result<()> {
        let (Input::RmsNorm { x, .. } | Input::LayerNorm { x, .. }) = input else { return Ok(()) };
        let len = x.width;
        let ones = Vector { buffer: r.gpu.buffer_with("ones", &vec![1f32; len as usize])?, len };
        let zeros = Vector { buffer: r.gpu.buffer_with("zeros", &vec![0f32; len as usize])?, len };
        let pre_weight = format!("{name}.pre_weight");
        let pre_bias = format!("{name}.pre_bias");
        let nodes = match input {
            Input::LayerNorm { weight, eps, .. } => vec![
                (pre_weight, Input::LayerNorm { x, weight: &ones, bias: &zeros, eps }),
                (pre_bias, Input::LayerNorm { x, weight, bias: &zeros, eps }),
            ],
            Input::RmsNorm { eps, .. } => vec![(pre_weight, Input::RmsNorm { x, weight: &ones, eps })],
            Input::Plain(_) | Input::Digits(_) => Vec::new(),
        };
        for (name, input) in nodes.into_iter().chain([(name.to_owned(), input)]) {
            let h = Tensor::new(r.gpu, "tap", self.n_rows, len)?;
            r.apply_input(&name, input, &h)?;
            self.tensor(r, &name, &h)?;
        }
        Ok(())
    }

    /// Name columns of a product by itself, without the residual or the activation.
    fn product(
        &mut self,
        r: &mut Recorder<'_>,
        input: Input<'_>,
        w: &Matrix,
        bias: Option<&Vector>,
        columns: &[Columns<'_>],
    ) -> Result<()> {
        let y = Tensor::new(r.gpu, "tap", self.n_rows, w.rows)?;
        r.matmul(columns[0].0, input, w, Output::Store { y: &y, bias })?;
        self.columns(r, &y, columns)
    }

    /// Name q, k and v as they are projected, before and after their bias.
    fn projections(&mut self, r: &mut Recorder<'_>, input: Input<'_>, w: &Matrix, bias: Option<&Vector>) -> Result<()> {
        let c = self.c;
        let (q, kv) = (c.n_head * c.head_dim, c.n_head_kv * c.head_dim);
        let parts = |names: [&'static str; 3]| [(names[0], 0, 1, q), (names[1], q, 1, kv), (names[2], q + kv, 1, kv)];
        let mut columns = vec![("wqkv", 0, 1, w.rows)];
        if bias.is_some() {
            columns.extend(parts(["Qcur.pre_bias", "Kcur.pre_bias", "Vcur.pre_bias"]));
            self.product(r, input, w, None, &columns)?;
            columns = vec![("wqkv_b", 0, 1, w.rows)];
        }
        // The next thing that happens to q and k names them.
        let rotates = r.layer().is_some_and(|l| c.layers[l as usize].rope.is_some());
        columns.extend(parts(match (c.qk_norm, rotates) {
            (QkNorm::None | QkNorm::RotatedHead, true) => ["Qcur.pre_rope", "Kcur.pre_rope", "Vcur"],
            (QkNorm::None, false) => ["Qcur", "Kcur", "Vcur"],
            _ => ["Qcur.pre_norm", "Kcur.pre_norm", "Vcur"],
        }));
        if c.gated_attention {
            columns.push(("gate_reshaped", q + 2 * kv, 1, q));
        }
        self.product(r, input, w, bias, &columns)
    }

    /// Name q and k after their norm, and what they were before its weight.
    fn head_norms(&mut self, r: &mut Recorder<'_>, a: &Attention<'_>, qkv: &Tensor) -> Result<()> {
        if a.temperature.is_some() {
            self.heads(r, &Attention { temperature: None, ..a.clone() }, qkv, ["Qcur", "Kcur"])?;
        }
        let Some(norm) = a.qk_norm else { return Ok(()) };
        let ones = Vector { buffer: r.gpu.buffer_with("ones", &vec![1f32; norm.q.len as usize])?, len: norm.q.len };
        let plain = QkNormWeights { q: &ones, k: &ones, ..norm };
        if norm.of == Normed::RotatedHead {
            self.heads(r, &Attention { qk_norm: None, ..a.clone() }, qkv, ["Qcur.pre_norm", "Kcur.pre_norm"])?;
            let names = ["Qcur_norm.pre_weight", "Kcur_norm.pre_weight"];
            return self.heads(r, &Attention { qk_norm: Some(plain), ..a.clone() }, qkv, names);
        }
        for (norm, names) in
            [(plain, ["Qcur_normed.pre_weight", "Kcur_normed.pre_weight"]), (norm, ["Qcur_normed", "Kcur_normed"])]
        {
            self.heads(r, &Attention { rope: None, qk_norm: Some(norm), ..a.clone() }, qkv, names)?;
        }
        Ok(())
    }

    /// Name q and k as `a` prepares them, on a copy. Its keys go to the cache; the plan's own follow.
    fn heads(&mut self, r: &mut Recorder<'_>, a: &Attention<'_>, qkv: &Tensor, names: [&str; 2]) -> Result<()> {
        let (q, kv) = (a.n_head * a.head_dim, a.n_head_kv * a.head_dim);
        let copy = self.copy_of(r, qkv)?;
        r.rope_kv(a, &copy)?;
        self.columns(r, &copy, &[(names[0], 0, 1, q), (names[1], q, 1, kv)])
    }

    /// Name rotated q and k, scores, probabilities and the heads' output.
    fn attention(&mut self, r: &mut Recorder<'_>, a: &Attention<'_>, qkv: &Tensor, out: &Tensor) -> Result<()> {
        let (q, kv) = (a.n_head * a.head_dim, a.n_head_kv * a.head_dim);
        let rotated = match r.phase {
            Phase::Prefill => qkv.clone(),
            Phase::Decode { .. } => {
                // Decode rotates on the fly; here on a copy. The cache gets what it has already.
                let copy = self.copy_of(r, qkv)?;
                r.rope_kv(a, &copy)?;
                copy
            }
        };
        match a.qk_norm {
            Some(norm) if norm.of == Normed::RotatedHead => {
                self.columns(r, &rotated, &[("Qcur_norm", 0, 1, q), ("Kcur_norm", q, 1, kv)])?;
            }
            _ if a.temperature.is_some() => self.columns(r, &rotated, &[("Qcur_attn_temp_scaled", 0, 1, q)])?,
            None if a.rope.is_none() => {}
            _ => self.columns(r, &rotated, &[("Qcur", 0, 1, q), ("Kcur", q, 1, kv)])?,
        }
        let (rows, width) = (a.n_head * self.n_rows, self.n_pos);
        let bytes = u64::from(rows) * u64::from(width) * 4;
        let kq = r.gpu.buffer("kq", bytes, Usage::Storage)?;
        let soft_max = r.gpu.buffer("kq_soft_max", bytes, Usage::Storage)?;
        r.attention_scores(a, &rotated, [&kq, &soft_max], width)?;
        for (name, copy) in [("kq", kq), ("kq_soft_max", soft_max)] {
            // Nothing writes them afterwards.
            self.list.push(Tap { name: node_name(r, name), copy, rows, stride: width, offset: 0, step: 1, width });
        }
        self.tensor(r, if a.gated { "attn_gated" } else { "kqv_out" }, out)
    }

    /// Name the products of gate and up of each token's experts, `(T n_used, F)`.
    fn expert_pairs(
        &mut self,
        r: &mut Recorder<'_>,
        input: Input<'_>,
        w: &ExpertMatrix,
        routes: &Routes,
    ) -> Result<()> {
        let rows = self.n_rows * routes.n_used;
        let y = Tensor::new(r.gpu, "tap", rows, w.rows())?;
        r.expert_matmul("ffn_moe_gate", (input, 1), w, routes, ExpertOutput::Store(&y))?;
        let columns = [("ffn_moe_gate", 0, 2, w.rows() / 2), ("ffn_moe_up", 1, 2, w.rows() / 2)];
        self.rows(r, &y.buffer, rows, y.stride(), &columns)
    }

    /// Name the inside of each token's experts `h`, their outputs, `(T n_used, ..)`, and the outputs' weighted sum.
    fn expert_down(&mut self, r: &mut Recorder<'_>, h: &Tensor, w: &ExpertMatrix, routes: &Routes) -> Result<()> {
        let rows = self.n_rows * routes.n_used;
        self.rows(r, &h.buffer, rows, h.stride(), &[("ffn_moe_swiglu", 0, 1, h.width)])?;
        let y = Tensor::new(r.gpu, "tap", rows, w.rows())?;
        r.expert_matmul("ffn_moe_down", (Input::Plain(h), routes.n_used), w, routes, ExpertOutput::Store(&y))?;
        self.rows(r, &y.buffer, rows, y.stride(), &[("ffn_moe_down", 0, 1, w.rows())])?;
        // Added to zeros.
        let sum = Tensor::new(r.gpu, "tap", self.n_rows, w.rows())?;
        r.expert_sum("ffn_moe_out", h, w, routes, &sum, 1.0)?;
        self.tensor(r, "ffn_moe_out", &sum)
    }
}
