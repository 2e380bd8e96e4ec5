//! Captures: the named intermediates that fused kernels never write, computed by the same kernels' parts from
//! what the plan did write. Without a capture all of this records nothing.

use super::attention::Attention;
use super::{
    ExpertMatrix, ExpertOutput, Index, Input, Matrix, Output, Phase, QkNormWeights, Recorder, Routes, Tensor, Vector,
};
use crate::error::Result;
use crate::gpu::{Grid, Usage};

impl Recorder<'_> {
    /// Name the norm that the next matmul applies to its input, and what it was before weight and bias.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn tap_norm(&mut self, name: &str, input: Input<'_>) -> Result<()> {
        if self.capture.is_none() {
            return Ok(());
        }
        let len = input.width();
        let ones = Vector { buffer: self.gpu.buffer_with("ones", &vec![1f32; len as usize])?, len };
        let zeros = Vector { buffer: self.gpu.buffer_with("zeros", &vec![0f32; len as usize])?, len };
        match input {
            Input::RmsNorm { x, eps, .. } => {
                self.tap_input(&format!("{name}.pre_weight"), Input::RmsNorm { x, weight: &ones, eps })?;
            }
            Input::LayerNorm { x, weight, eps, .. } => {
                let plain = Input::LayerNorm { x, weight: &ones, bias: &zeros, eps };
                self.tap_input(&format!("{name}.pre_weight"), plain)?;
                let weighted = Input::LayerNorm { x, weight, bias: &zeros, eps };
                self.tap_input(&format!("{name}.pre_bias"), weighted)?;
            }
            Input::Plain(_) | Input::Digits(_) => {}
        }
        self.tap_input(name, input)
    }

    fn tap_input(&mut self, name: &str, input: Input<'_>) -> Result<()> {
        let h = self.apply_input(name, input)?;
        self.tap(name, &h)
    }

    /// Name the product by itself, without the residual or the activation; `biased` with its bias.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn tap_matmul(
        &mut self,
        name: &str,
        biased: &str,
        input: Input<'_>,
        w: &Matrix,
        bias: Option<&Vector>,
    ) -> Result<()> {
        self.tap_product(input, w, None, &[(name, 0, 1, w.rows)])?;
        if bias.is_some() { self.tap_product(input, w, bias, &[(biased, 0, 1, w.rows)]) } else { Ok(()) }
    }

    /// Name the two products whose rows alternate in the weights.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn tap_pairs(&mut self, even: &str, odd: &str, input: Input<'_>, w: &Matrix) -> Result<()> {
        self.tap_product(input, w, None, &[(even, 0, 2, w.rows / 2), (odd, 1, 2, w.rows / 2)])
    }

    /// Name the experts that tokens go to, as the bits of their ids, and their weights: `(T, n_used)` each.
    ///
    /// # Errors
    /// As [`Gpu::buffer`](crate::gpu::Gpu::buffer).
    pub fn tap_routes(&mut self, routes: &Routes) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let n = routes.n_used;
        let columns = [("ffn_moe_topk.bits", 0, 2, n), ("ffn_moe_weights_norm", 1, 2, n)];
        self.tap_rows(&routes.buffer, n_tokens, 2 * n, &columns)
    }

    /// Name the products of gate and up of each token's experts, `(T n_used, F)`.
    ///
    /// # Errors
    /// As [`Recorder::expert_matmul`].
    pub fn tap_expert_pairs(&mut self, input: Input<'_>, w: &ExpertMatrix, routes: &Routes) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let rows = n_tokens * routes.n_used;
        let y = Tensor::new(self.gpu, "tap", rows, w.rows())?;
        self.expert_matmul("ffn_moe_gate", (input, 1), w, routes, ExpertOutput::Store(&y))?;
        let columns = [("ffn_moe_gate", 0, 2, w.rows() / 2), ("ffn_moe_up", 1, 2, w.rows() / 2)];
        self.tap_rows(&y.buffer, rows, y.stride(), &columns)
    }

    /// Name the inside of each token's experts `h`, their outputs, `(T n_used, ..)`, and the outputs' weighted sum.
    ///
    /// # Errors
    /// As [`Recorder::expert_matmul`].
    pub fn tap_expert_down(&mut self, h: &Tensor, w: &ExpertMatrix, routes: &Routes) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let rows = n_tokens * routes.n_used;
        self.tap_rows(&h.buffer, rows, h.stride(), &[("ffn_moe_swiglu", 0, 1, h.width)])?;
        let y = Tensor::new(self.gpu, "tap", rows, w.rows())?;
        let input = (Input::Plain(h), routes.n_used);
        self.expert_matmul("ffn_moe_down", input, w, routes, ExpertOutput::Store(&y))?;
        self.tap_rows(&y.buffer, rows, y.stride(), &[("ffn_moe_down", 0, 1, w.rows())])?;
        // Added to zeros.
        let sum = Tensor::new(self.gpu, "tap", n_tokens, w.rows())?;
        self.expert_sum("ffn_moe_out", h, w, routes, &sum, 1.0)?;
        self.tap("ffn_moe_out", &sum)
    }

    /// Name what a lookup adds to the residual stream.
    ///
    /// # Errors
    /// As [`Recorder::embed`].
    pub fn tap_embed(&mut self, name: &str, table: &Matrix, index: Index) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let y = Tensor::new(self.gpu, "tap", n_tokens, table.cols)?;
        self.embed(name, table, index, 1.0, &y)?;
        self.tap(name, &y)
    }

    fn tap_product(
        &mut self,
        input: Input<'_>,
        w: &Matrix,
        bias: Option<&Vector>,
        columns: &[(&str, u32, u32, u32)],
    ) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let y = Tensor::new(self.gpu, "tap", n_tokens, w.rows)?;
        self.matmul(columns[0].0, input, w, Output::Store { y: &y, bias })?;
        self.tap_columns(&y, columns)
    }

    /// Name q, k and v as they are projected, before and after their bias.
    ///
    /// # Errors
    /// As [`Recorder::matmul`].
    pub fn tap_projections(
        &mut self,
        a: &Attention<'_>,
        input: Input<'_>,
        w: &Matrix,
        bias: Option<&Vector>,
    ) -> Result<()> {
        if self.capture.is_none() {
            return Ok(());
        }
        let (q, kv) = (a.n_head * a.head_dim, a.n_head_kv * a.head_dim);
        let parts = |names: [&'static str; 3]| [(names[0], 0, 1, q), (names[1], q, 1, kv), (names[2], q + kv, 1, kv)];
        let mut columns = vec![("wqkv", 0, 1, w.rows)];
        if bias.is_some() {
            columns.extend(parts(["Qcur.pre_bias", "Kcur.pre_bias", "Vcur.pre_bias"]));
            self.tap_product(input, w, None, &columns)?;
            columns = vec![("wqkv_b", 0, 1, w.rows)];
        }
        // The next thing that happens to q and k names them.
        columns.extend(parts(match (a.qk_norm, a.rope) {
            (Some(_), _) => ["Qcur.pre_norm", "Kcur.pre_norm", "Vcur"],
            (None, Some(_)) => ["Qcur.pre_rope", "Kcur.pre_rope", "Vcur"],
            (None, None) => ["Qcur", "Kcur", "Vcur"],
        }));
        self.tap_product(input, w, bias, &columns)
    }

    /// Name q and k behind their norm, and what they were before its weight.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn tap_head_norms(&mut self, a: &Attention<'_>, qkv: &Tensor) -> Result<()> {
        let (Some(n_tokens), Some(norm)) = (self.capture, a.qk_norm) else { return Ok(()) };
        let ones = Vector { buffer: self.gpu.buffer_with("ones", &vec![1f32; norm.q.len as usize])?, len: norm.q.len };
        let plain = QkNormWeights { q: &ones, k: &ones, ..norm };
        let (q, kv) = (a.n_head * a.head_dim, a.n_head_kv * a.head_dim);
        for (norm, names) in
            [(plain, ["Qcur_normed.pre_weight", "Kcur_normed.pre_weight"]), (norm, ["Qcur_normed", "Kcur_normed"])]
        {
            // Unrotated keys go to the cache, which the plan's own follow.
            let copy = self.copy_of(qkv, n_tokens)?;
            self.rope_kv(&Attention { rope: None, qk_norm: Some(norm), ..a.clone() }, &copy)?;
            self.tap_columns(&copy, &[(names[0], 0, 1, q), (names[1], q, 1, kv)])?;
        }
        Ok(())
    }

    fn copy_of(&mut self, t: &Tensor, rows: u32) -> Result<Tensor> {
        let copy = Tensor::new(self.gpu, "tap", rows, t.width)?;
        let bytes = u64::from(rows) * u64::from(t.stride()) * 4;
        self.plan.copy(t.buffer.clone(), copy.buffer.clone(), bytes);
        Ok(copy)
    }

    /// Name rotated q and k, scores, probabilities and the heads' output `o`.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn tap_attention(&mut self, a: &Attention<'_>, qkv: &Tensor, o: &Tensor) -> Result<()> {
        let Some(n_tokens) = self.capture else { return Ok(()) };
        let (q, kv) = (a.n_head * a.head_dim, a.n_head_kv * a.head_dim);
        let rotated = match self.phase {
            Phase::Prefill => qkv.clone(),
            Phase::Decode { .. } => {
                // Decode rotates on the fly; here on a copy. The cache gets what it has already.
                let copy = self.copy_of(qkv, 1)?;
                self.rope_kv(a, &copy)?;
                copy
            }
        };
        if a.rope.is_some() || a.qk_norm.is_some() {
            self.tap_columns(&rotated, &[("Qcur", 0, 1, q), ("Kcur", q, 1, kv)])?;
        }
        let n_pos = self.capture_positions;
        let rows = a.n_head * n_tokens;
        let bytes = u64::from(rows) * u64::from(n_pos) * 4;
        let kq = self.gpu.buffer("kq", bytes, Usage::Storage)?;
        let soft_max = self.gpu.buffer("kq_soft_max", bytes, Usage::Storage)?;
        let mut bindings =
            vec![("qkv", &rotated.buffer), ("kq", &kq), ("kq_soft_max", &soft_max), ("state", &self.step.state)];
        let kernel = a.with_cache(a.kernel("attention_scores", qkv), &mut bindings).set("N_POS", n_pos);
        let grid = Grid::xy(a.n_head.div_ceil(64), self.per_tokens(1));
        self.dispatch("attention_scores", &kernel, &bindings, grid)?;
        self.tap_buffer("kq", kq, rows, n_pos);
        self.tap_buffer("kq_soft_max", soft_max, rows, n_pos);
        self.tap("kqv_out", o)
    }
}
