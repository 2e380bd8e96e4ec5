//! Convolutions in f64: what this op's kernels compute.

use super::{Activation, Epilogue, Residual, Shape, Window};

/// An image `(height, width, channels)` in f64.
#[derive(Clone)]
pub struct Pixels {
    pub shape: Shape,
    pub data: Vec<f64>,
}

impl Pixels {
    pub fn new(shape: Shape, data: &[f32]) -> Self {
        Pixels { shape, data: data.iter().map(|&v| v.into()).collect() }
    }

    pub fn from_fn(shape: Shape, f: impl Fn(i64, i64, usize) -> f64) -> Self {
        let (h, w, c) = (i64::from(shape.height), i64::from(shape.width), shape.channels as usize);
        let f = &f;
        let data = (0..h).flat_map(|y| (0..w).flat_map(move |x| (0..c).map(move |c| f(y, x, c)))).collect();
        Pixels { shape, data }
    }

    pub fn at(&self, y: i64, x: i64, c: usize) -> f64 {
        let (w, n) = (i64::from(self.shape.width), self.shape.channels as usize);
        self.data[(y * w + x) as usize * n + c]
    }

    /// The same, 0 outside of the image.
    pub fn or_zero(&self, y: i64, x: i64, c: usize) -> f64 {
        let inside = (0..i64::from(self.shape.height)).contains(&y) && (0..i64::from(self.shape.width)).contains(&x);
        if inside { self.at(y, x, c) } else { 0.0 }
    }

    fn at_edge(&self, y: i64, x: i64, c: usize) -> f64 {
        let clamped = |i: i64, n: u32| i.clamp(0, i64::from(n) - 1);
        self.at(clamped(y, self.shape.height), clamped(x, self.shape.width), c)
    }
}

/// `w (N, kernel, kernel, C)`, without the epilogue.
pub fn conv(x: &Pixels, w: &[f32], kernel: usize, window: Window, y: Shape) -> Pixels {
    let c_in = x.shape.channels as usize;
    sums(window, y, |top, left, n| {
        let tap = |ky: usize, kx: usize, c: usize| {
            x.or_zero(top + ky as i64, left + kx as i64, c) * f64::from(w[((n * kernel + ky) * kernel + kx) * c_in + c])
        };
        (0..kernel)
            .flat_map(|ky| (0..kernel).map(move |kx| (ky, kx)))
            .map(|(ky, kx)| (0..c_in).map(|c| tap(ky, kx, c)).sum::<f64>())
            .sum()
    })
}

/// `w (kernel, kernel, N)`, without the epilogue.
pub fn depthwise(x: &Pixels, w: &[f32], kernel: usize, window: Window, y: Shape) -> Pixels {
    let n_channels = x.shape.channels as usize;
    sums(window, y, |top, left, n| {
        let tap = |ky: usize, kx: usize| {
            x.or_zero(top + ky as i64, left + kx as i64, n) * f64::from(w[(ky * kernel + kx) * n_channels + n])
        };
        (0..kernel).map(|ky| (0..kernel).map(|kx| tap(ky, kx)).sum::<f64>()).sum()
    })
}

/// `f` of the window's first row and column, and the channel.
fn sums(window: Window, y: Shape, f: impl Fn(i64, i64, usize) -> f64) -> Pixels {
    let first = |out: i64, before: u32| out * i64::from(window.stride) - i64::from(before);
    Pixels::from_fn(y, |oy, ox, n| f(first(oy, window.before[0]), first(ox, window.before[1]), n))
}

/// Twice as large: bilinear, pixels' centres at halves.
pub fn upsampled(x: &Pixels) -> Pixels {
    let s = x.shape;
    let axis = |i: i64| {
        let at = (i as f64 + 0.5) / 2.0 - 0.5;
        (at.floor() as i64, at - at.floor())
    };
    Pixels::from_fn(Shape::new(2 * s.height, 2 * s.width, s.channels), |oy, ox, c| {
        let ((top, fy), (left, fx)) = (axis(oy), axis(ox));
        let row = |y: i64| x.at_edge(y, left, c) * (1.0 - fx) + x.at_edge(y, left + 1, c) * fx;
        row(top) * (1.0 - fy) + row(top + 1) * fy
    })
}

/// The largest of 2 x 2 places each.
pub fn pooled(x: &Pixels) -> Pixels {
    let s = x.shape;
    Pixels::from_fn(Shape::new(s.height / 2, s.width / 2, s.channels), |y, x0, c| {
        let four = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| x.at(2 * y + dy, 2 * x0 + dx, c));
        four.into_iter().fold(f64::NEG_INFINITY, f64::max)
    })
}

pub fn activated(activation: &Activation<'_>, v: f64, channel: usize, slope: &[f32]) -> f64 {
    match *activation {
        Activation::Relu => v.max(0.0),
        Activation::Relu6 => v.clamp(0.0, 6.0),
        Activation::Prelu(_) if v < 0.0 => v * f64::from(slope[channel]),
        Activation::Sigmoid(n) if channel < n as usize => 1.0 / (1.0 + (-v).exp()),
        Activation::None | Activation::Prelu(_) | Activation::Sigmoid(_) => v,
    }
}

/// What becomes of sums, with the CPU's copies of the operands.
pub fn epilogue(e: &Epilogue<'_>, sums: &Pixels, bias: &[f32], skip: &Pixels, slope: &[f32]) -> Pixels {
    let skip = match e.residual {
        Residual::Pooled(_) => pooled(skip),
        _ => skip.clone(),
    };
    Pixels::from_fn(sums.shape, |y, x, c| {
        let residual = match e.residual {
            Residual::None => 0.0,
            _ if c >= skip.shape.channels as usize => 0.0,
            _ => skip.at(y, x, c),
        };
        activated(&e.activation, sums.at(y, x, c) + f64::from(bias[c]) + residual, c, slope)
    })
}
