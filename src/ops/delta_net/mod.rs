//! A gated delta net (arXiv:2412.06464): a state of each head, which a token decays and corrects where it has another value for
//! the token's key.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::recorder::ELEMENT_WG;
use super::{Op, Phase, Recorder, Tensor, Vector};
use crate::error::{Result, bail};
use crate::gpu::{Binding, Buffer, Extent, Grid, Kernel};

wgsl_exports!("delta_net");

/// The heads of a gated delta net.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeltaShape {
    /// Heads of queries and keys; divides `n_v`. Value head `h` has key head `h % n_k`.
    pub n_k: u32,
    pub n_v: u32,
    /// Elements of a head, D: a multiple of 16 up to 128.
    pub head_dim: u32,
    /// Positions that a sum of the convolution before it is of.
    pub kernel: u32,
}

impl DeltaShape {
    /// Elements of a token's q, k and v: the convolution's channels.
    #[must_use]
    pub fn channels(self) -> u32 {
        (2 * self.n_k + self.n_v) * self.head_dim
    }

    /// Elements of a token's values.
    #[must_use]
    pub fn values(self) -> u32 {
        self.n_v * self.head_dim
    }

    /// Elements of a token's row: q, k, v and z, and a beta and an alpha of each value head.
    #[must_use]
    pub fn row(self) -> u32 {
        self.channels() + self.values() + 2 * self.n_v
    }

    /// Elements of the weights of heads: `a` and `dt` of each value head, and the norm's `(D)`.
    #[must_use]
    pub fn head_weights(self) -> u32 {
        2 * self.n_v + self.head_dim
    }

    /// Elements that a token has of its chunk.
    #[must_use]
    pub fn chunk_row(self) -> u32 {
        self.n_v * (2 * DELTA_CHUNK + 4)
    }

    /// Bytes of what is kept of a sequence: a state `(n_v, D keys, D values)`, and the last `kernel` positions of the
    /// convolution's input, `(kernel, channels)`.
    #[must_use]
    pub fn state_bytes(self) -> u64 {
        4 * (self.state_elems() + u64::from(self.kernel) * u64::from(self.channels()))
    }

    /// Elements of the state alone.
    #[must_use]
    pub fn state_elems(self) -> u64 {
        u64::from(self.values()) * u64::from(self.head_dim)
    }
}

/// The gated delta net of a layer.
pub struct DeltaNet<'a> {
    pub shape: DeltaShape,
    /// Of the convolution, `(channels, kernel)`, the oldest position's first.
    pub taps: &'a Vector,
    /// [`DeltaShape::head_weights`]
    pub head_weights: &'a Vector,
    /// Of all norms.
    pub eps: f32,
    /// [`DeltaShape::state_bytes`], zeros before the first position.
    pub state: &'a Rc<Buffer>,
}

/// Scratch of batches.
pub struct DeltaScratch {
    /// q, k and v after the convolution, `(T, channels)`.
    pub mixed: Tensor,
    /// What tokens have of their chunks, `(T, chunk_row)`.
    pub chunks: Tensor,
}

impl<'a> DeltaNet<'a> {
    fn kernel(&self, name: &'static str, x: &Tensor) -> Kernel {
        let DeltaShape { n_k, n_v, head_dim, .. } = self.shape;
        let kernel = Kernel::new(name).set("N_K", n_k).set("N_V", n_v).set("HEAD_DIM", head_dim).set("EPS", self.eps);
        kernel.set("STRIDE4", x.stride() / 4)
    }

    /// What kernels with the state have.
    fn bindings(&self, x: &'a Tensor, y: &'a Tensor) -> [Binding<'a>; 3] {
        [("x", &x.buffer), ("delta_state", self.state), ("y", &y.buffer)]
    }
}

impl Recorder<'_> {
    /// `y (T, n_v D)` of `x (T, row)`, see [`DeltaShape::row`]: the convolution of q, k and v with SiLU, the delta rule with unit q
    /// and k, RMSNorm of what is read from each head's state, times SiLU of z. The state goes on.
    ///
    /// # Errors
    /// `Internal` if shapes do not fit: a defect in the forward pass.
    pub fn delta_net(&mut self, net: &DeltaNet<'_>, x: &Tensor, scratch: &DeltaScratch, y: &Tensor) -> Result<()> {
        let (s, DeltaScratch { mixed, chunks }) = (net.shape, scratch);
        let fits = x.width == s.row() && mixed.width == s.channels() && chunks.width == s.chunk_row();
        let fits = fits && y.width == s.values();
        if !fits || net.taps.len != s.channels() * s.kernel || net.head_weights.len != s.head_weights() {
            bail!(Internal, "a delta net of {s:?} from {} to {}", x.width, y.width);
        }
        self.observed(&Op::DeltaNet { net, x, y }, |r| match r.phase {
            Phase::Decode { .. } => r.delta_step(net, x, y),
            Phase::Prefill => {
                r.delta_conv(net, "silu", x, mixed)?;
                r.delta_rule(net, x, scratch, y)?;
                r.delta_finish(net, x, y)
            }
        })
    }

    /// All of it, of one token.
    fn delta_step(&mut self, net: &DeltaNet<'_>, x: &Tensor, y: &Tensor) -> Result<()> {
        let DeltaShape { kernel: taps, n_v, .. } = net.shape;
        let kernel = net.kernel("delta_net/step", x).set("KERNEL", taps).set("CAPACITY", taps).set("WG", STEP_WG);
        let weights = [("w", &net.taps.buffer), ("head_weights", &net.head_weights.buffer)];
        let bindings = [&net.bindings(x, y)[..], &weights, &[("batch", &self.batch.place)]].concat();
        self.dispatch("delta_net", &kernel, &bindings, Grid::x(n_v))
    }

    /// `mixed (T, channels) = act(conv(x))`; `act` is "silu" or "none".
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn delta_conv(&mut self, net: &DeltaNet<'_>, act: &'static str, x: &Tensor, mixed: &Tensor) -> Result<()> {
        let taps = net.shape.kernel;
        let bindings = [("w", &net.taps.buffer), ("batch", &self.batch.place)];
        let bindings = [&net.bindings(x, mixed)[..], &bindings].concat();
        let kernel = net.kernel("delta_net/conv", x).slot("ACT", act).set("KERNEL", taps).set("CAPACITY", taps);
        let kernel = kernel.set("Y_STRIDE4", mixed.stride() / 4);
        let grid = Grid::xy((net.shape.channels() / 4).div_ceil(ELEMENT_WG), self.per_rows(1));
        self.dispatch("delta_conv", &kernel, &bindings, grid)
    }

    /// `y (T, n_v D)`: what the tokens of `scratch.mixed` read from the states, by chunks.
    ///
    /// # Errors
    /// As [`Recorder::dispatch`].
    pub fn delta_rule(&mut self, net: &DeltaNet<'_>, x: &Tensor, scratch: &DeltaScratch, y: &Tensor) -> Result<()> {
        let (DeltaScratch { mixed, chunks }, DeltaShape { n_v, head_dim, .. }) = (scratch, net.shape);
        let of =
            |kernel: Kernel| kernel.set("MIXED_STRIDE4", mixed.stride() / 4).set("CHUNKS_STRIDE4", chunks.stride() / 4);
        let both =
            [("x", &x.buffer), ("mixed", &mixed.buffer), ("chunks", &chunks.buffer), ("batch", &self.batch.place)];
        let kernel = of(net.kernel("delta_net/chunk", x));
        let bindings = [&both[..], &[("head_weights", &net.head_weights.buffer)]].concat();
        self.dispatch("delta_chunk", &kernel, &bindings, Grid::xy(n_v, self.per_rows(DELTA_CHUNK)))?;
        let kernel = of(net.kernel("delta_net/scan", x)).set("Y_STRIDE4", y.stride() / 4);
        let bindings = [&both[..], &[("delta_state", net.state), ("y", &y.buffer)]].concat();
        let slices = (head_dim / 4).div_ceil(SCAN_VALUES4);
        self.dispatch("delta_scan", &kernel, &bindings, Grid::xy(n_v, Extent::Fixed(slices)))
    }

    /// `y` normed and gated, and the last columns of `x` kept.
    fn delta_finish(&mut self, net: &DeltaNet<'_>, x: &Tensor, y: &Tensor) -> Result<()> {
        let bindings = [("head_weights", &net.head_weights.buffer), ("batch", &self.batch.place)];
        let bindings = [&net.bindings(x, y)[..], &bindings].concat();
        let kernel = net
            .kernel("delta_net/finish", x)
            .set("CAPACITY", net.shape.kernel)
            .set("Y_STRIDE4", y.stride() / 4)
            .set("WG", FINISH_WG);
        self.dispatch("delta_finish", &kernel, &bindings, Grid::xy(net.shape.n_v, self.per_rows(1)))
    }
}

/// Invocations that share a head in decode.
const STEP_WG: u32 = 256;
/// Those of a head of a token: a vector each, of up to 128 elements.
const FINISH_WG: u32 = 32;
