//! Convolutions against the f64 reference, on each division of work: images of one place, odd ones, channels around a vector
//! and around a group of 16, large magnitudes. Guards lie behind each output, and the padding of its rows is looked at.

use super::reference::{self, Pixels};
use super::{Activation, Epilogue, Image, Residual, Shape, Window, strided};
use crate::formats::gguf::GgmlType;
use crate::gpu::Gpu;
use crate::ops::testing::{
    Rng, assert_close, batch, divided, gpus, name, output, phase, read, repack, run, tensor, vector,
};
use crate::ops::{Matrix, Recorder, Vector};

/// An image with this data, and guards after it.
fn image(gpu: &Gpu, shape: Shape, data: &[f32]) -> Image {
    Image::of(tensor(gpu, shape.places() as usize, shape.channels as usize, data), shape)
}

fn blank(gpu: &Gpu, shape: Shape) -> Image {
    Image::of(output(gpu, shape.places() as usize, shape.channels as usize), shape)
}

fn noise(rng: &mut Rng, shape: Shape, scale: f32) -> Vec<f32> {
    rng.vec((shape.places() * shape.channels) as usize, scale)
}

fn weights(gpu: &Gpu, rows: usize, cols: usize, data: &[f32]) -> Matrix {
    let matrix = Matrix::as_f32(gpu, "test", GgmlType::F32, rows as u32, cols as u32).unwrap();
    repack(gpu, &matrix, bytemuck::cast_slice(data));
    matrix
}

fn run_and_read(gpu: &Gpu, y: &Image, ops: impl FnOnce(&mut Recorder<'_>)) -> Vec<f32> {
    run(gpu, &batch(gpu, 0, 1), phase(1), 1, ops);
    read(gpu, &y.rows, y.shape().places() as usize)
}

/// Everything that an epilogue needs, on both sides.
struct Operands {
    bias: Vec<f32>,
    slope: Vec<f32>,
    same: Vec<f32>,
    wide: Vec<f32>,
    wide_shape: Shape,
    gpu_bias: Vector,
    gpu_slope: Vector,
    gpu_same: Image,
    gpu_wide: Image,
}

impl Operands {
    /// For `y`; an image to be pooled has `wide_channels`.
    fn new(gpu: &Gpu, rng: &mut Rng, y: Shape, wide_channels: u32) -> Self {
        let wide_shape = Shape::new(2 * y.height, 2 * y.width, wide_channels);
        let (bias, slope) = (rng.vec(y.channels as usize, 1.0), rng.vec(y.channels as usize, 1.0));
        let (same, wide) = (noise(rng, y, 4.0), noise(rng, wide_shape, 4.0));
        Operands {
            gpu_bias: vector(gpu, &bias),
            gpu_slope: vector(gpu, &slope),
            gpu_same: image(gpu, y, &same),
            gpu_wide: image(gpu, wide_shape, &wide),
            bias,
            slope,
            same,
            wide,
            wide_shape,
        }
    }

    fn residuals(&self) -> [Residual<'_>; 3] {
        [Residual::None, Residual::Same(&self.gpu_same), Residual::Pooled(&self.gpu_wide)]
    }

    fn activations(&self) -> [Activation<'_>; 4] {
        [Activation::None, Activation::Relu, Activation::Relu6, Activation::Prelu(&self.gpu_slope)]
    }

    fn epilogue<'a>(&'a self, residual: Residual<'a>, activation: Activation<'a>) -> Epilogue<'a> {
        Epilogue { bias: &self.gpu_bias, residual, activation }
    }

    fn want(&self, e: &Epilogue<'_>, sums: &Pixels) -> Vec<f64> {
        let skip = match e.residual {
            Residual::Pooled(_) => Pixels::new(self.wide_shape, &self.wide),
            _ => Pixels::new(sums.shape, &self.same),
        };
        reference::epilogue(e, sums, &self.bias, &skip, &self.slope).data
    }
}

#[test]
fn same_padding_is_tensorflows() {
    // Kernel, stride, size, before: `after` is what is left of the total.
    for (kernel, stride, n, before) in [
        (5, 1, 96, 2),
        (5, 2, 192, 1),
        (5, 2, 7, 2),
        (3, 1, 112, 1),
        (3, 2, 224, 0),
        (3, 2, 7, 1),
        (3, 2, 1, 1),
        (1, 2, 4, 0),
    ] {
        assert_eq!(Window::same(kernel, stride, Shape::new(n, n, 1)).before, [before; 2], "{kernel} {stride} {n}");
    }
}

#[test]
fn dense_convolutions() {
    let mut rng = Rng(31);
    for gpu in &divided() {
        for (h, w, c, n, kernel, stride, scale) in [
            (1, 1, 1, 1, 3, 1, 1e3),
            (1, 1, 3, 24, 5, 2, 1.0),
            (7, 5, 3, 5, 3, 2, 1.0),
            (8, 8, 4, 16, 3, 2, 1e3),
            (9, 11, 5, 7, 5, 2, 1.0),
            (13, 6, 17, 13, 3, 1, 1.0),
            (20, 22, 3, 32, 5, 2, 1.0),
            (5, 5, 2, 3, 1, 1, 1e-3),
        ] {
            let (x_shape, kernel_u) = (Shape::new(h, w, c), kernel as usize);
            let (y_shape, window) = (strided(x_shape, stride, n), Window::same(kernel, stride, x_shape));
            let cols = kernel_u * kernel_u * c as usize;
            let (x, w) = (noise(&mut rng, x_shape, scale), rng.vec(n as usize * cols, 1.0));
            let (xi, wm) = (image(gpu, x_shape, &x), weights(gpu, n as usize, cols, &w));
            let operands = Operands::new(gpu, &mut rng, y_shape, 1);
            let sums = reference::conv(&Pixels::new(x_shape, &x), &w, kernel_u, window, y_shape);
            for activation in operands.activations() {
                let (e, y) = (operands.epilogue(Residual::None, activation), blank(gpu, y_shape));
                let got = run_and_read(gpu, &y, |r| r.conv("test", &xi, &wm, kernel, window, e, &y).unwrap());
                let what = format!("{x_shape} {kernel} stride {stride} -> {n} {}", name(gpu));
                assert_close(&got, &operands.want(&e, &sums), 1e-5, &what);
            }
        }
    }
}

#[test]
fn depthwise_convolutions() {
    let mut rng = Rng(32);
    for gpu in &divided() {
        // As for a CPU, an invocation makes four places; as for a GPU, one.
        for (h, w, c, scale) in [
            (1, 1, 1, 1.0),
            (1, 9, 4, 1.0),
            (2, 3, 17, 1.0),
            (7, 7, 5, 1e3),
            (8, 6, 16, 1.0),
            (14, 13, 31, 1.0),
            (5, 1, 3, 1.0),
        ] {
            for (kernel, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
                let x_shape = Shape::new(h, w, c);
                let (y_shape, window) = (strided(x_shape, stride, c), Window::same(kernel, stride, x_shape));
                let taps = (kernel * kernel) as usize;
                let (x, w) = (noise(&mut rng, x_shape, scale), rng.vec(taps * c as usize, 1.0));
                let (xi, wm) = (image(gpu, x_shape, &x), weights(gpu, taps, c as usize, &w));
                let operands = Operands::new(gpu, &mut rng, y_shape, 1);
                let sums = reference::depthwise(&Pixels::new(x_shape, &x), &w, kernel as usize, window, y_shape);
                for activation in [Activation::None, Activation::Relu6] {
                    let (e, y) = (operands.epilogue(Residual::None, activation), blank(gpu, y_shape));
                    let got = run_and_read(gpu, &y, |r| r.depthwise("test", &xi, &wm, kernel, window, e, &y).unwrap());
                    let what = format!("{x_shape} {kernel} stride {stride} {}", name(gpu));
                    assert_close(&got, &operands.want(&e, &sums), 1e-5, &what);
                }
            }
        }
    }
}

#[test]
fn pointwise_convolutions() {
    let mut rng = Rng(33);
    for gpu in &divided() {
        for (h, w, c, n, scale) in [
            (1, 1, 1, 1, 1e3),
            (1, 1, 673, 128, 1.0),
            (3, 1, 3, 5, 1.0),
            (7, 7, 112, 13, 1.0),
            (2, 2, 16, 16, 1e4),
            (5, 3, 17, 38, 1.0),
            (13, 7, 31, 6, 1e-4),
            (20, 21, 20, 33, 1.0),
        ] {
            let (x_shape, y_shape) = (Shape::new(h, w, c), Shape::new(h, w, n));
            let (x, w) = (noise(&mut rng, x_shape, scale), rng.vec((n * c) as usize, 1.0));
            let (xi, wm) = (image(gpu, x_shape, &x), weights(gpu, n as usize, c as usize, &w));
            let operands = Operands::new(gpu, &mut rng, y_shape, n.min(1 + n / 2));
            let sums = reference::conv(&Pixels::new(x_shape, &x), &w, 1, Window::same(1, 1, x_shape), y_shape);
            let every = operands.residuals().into_iter().flat_map(|r| operands.activations().map(|a| (r, a)));
            for (i, (residual, activation)) in every.chain([(Residual::None, Activation::Sigmoid(n / 2))]).enumerate() {
                let (e, y) = (operands.epilogue(residual, activation), blank(gpu, y_shape));
                let got = run_and_read(gpu, &y, |r| r.pointwise("test", &xi, &wm, e, &y).unwrap());
                let what = format!("{x_shape} -> {n}, epilogue {i}, {}", name(gpu));
                assert_close(&got, &operands.want(&e, &sums), 1e-5, &what);
            }
        }
    }
}

#[test]
fn enlarging_and_means() {
    let mut rng = Rng(34);
    for gpu in &gpus() {
        for (h, w, c) in [(1, 1, 1), (1, 4, 3), (2, 2, 4), (3, 5, 17), (6, 7, 31), (16, 16, 16)] {
            let (x_shape, y_shape) = (Shape::new(h, w, c), Shape::new(2 * h, 2 * w, c));
            let x = noise(&mut rng, x_shape, 3.0);
            let (xi, pixels) = (image(gpu, x_shape, &x), Pixels::new(x_shape, &x));
            let operands = Operands::new(gpu, &mut rng, y_shape, 1);
            let (large, skip) = (reference::upsampled(&pixels), Pixels::new(y_shape, &operands.same));
            for activation in [Activation::None, Activation::Prelu(&operands.gpu_slope)] {
                let y = blank(gpu, y_shape);
                let got = run_and_read(gpu, &y, |r| {
                    r.upsample_add("test", &xi, activation, &operands.gpu_same, &y).unwrap();
                });
                let want = Pixels::from_fn(y_shape, |oy, ox, n| {
                    skip.at(oy, ox, n) + reference::activated(&activation, large.at(oy, ox, n), n, &operands.slope)
                });
                assert_close(&got, &want.data, 1e-6, &format!("{x_shape} enlarged, {}", name(gpu)));
            }
            let y = blank(gpu, Shape::new(1, 1, c));
            let got = run_and_read(gpu, &y, |r| r.mean("test", &xi, &y).unwrap());
            let of = |n: usize| pixels.data.iter().skip(n).step_by(c as usize).sum::<f64>() / f64::from(h * w);
            assert_close(&got, &(0..c as usize).map(of).collect::<Vec<_>>(), 1e-5, &format!("mean of {x_shape}"));
        }
    }
}

/// Every f16, subnormal ones too, is the same number as an f32.
#[test]
fn halves_are_widened_bit_for_bit() {
    let [gpu, _] = gpus();
    let every: Vec<u16> = (0..=u16::MAX).collect();
    let matrix = Matrix::as_f32(&gpu, "test", GgmlType::F16, 256, 256).unwrap();
    repack(&gpu, &matrix, bytemuck::cast_slice(&every));
    let got: Vec<u32> = pollster::block_on(gpu.read(&matrix.parts[0].qs, every.len())).unwrap();
    for (&half, got) in every.iter().zip(got) {
        let want = half::f16::from_bits(half).to_f32_const();
        assert!(
            f32::from_bits(got).is_nan() == want.is_nan() && (want.is_nan() || got == want.to_bits()),
            "{half:#06x}"
        );
    }
}

/// A weight of 2^-24, the smallest that an f16 holds, reaches the product.
#[test]
fn subnormal_weights_count() {
    for gpu in &divided() {
        let shape = Shape::new(1, 1, 1);
        let smallest = 1_u16.to_le_bytes();
        let (x, bias) = (image(gpu, shape, &[16_777_216.0]), vector(gpu, &[0.0]));
        let e = Epilogue { bias: &bias, residual: Residual::None, activation: Activation::None };
        let half = |rows: u32| {
            let m = Matrix::as_f32(gpu, "test", GgmlType::F16, rows, 1).unwrap();
            repack(gpu, &m, &smallest.repeat(rows as usize));
            m
        };
        let y = blank(gpu, shape);
        assert_eq!(
            run_and_read(gpu, &y, |r| r.pointwise("test", &x, &half(1), e, &y).unwrap()),
            [1.0],
            "{}",
            name(gpu)
        );
        let (y, window) = (blank(gpu, shape), Window::same(3, 1, shape));
        let got = run_and_read(gpu, &y, |r| r.depthwise("test", &x, &half(9), 3, window, e, &y).unwrap());
        assert_eq!(got, [1.0], "{}", name(gpu));
        let (y, window) = (blank(gpu, shape), Window::same(1, 1, shape));
        assert_eq!(
            run_and_read(gpu, &y, |r| r.conv("test", &x, &half(1), 1, window, e, &y).unwrap()),
            [1.0],
            "{}",
            name(gpu)
        );
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let [gpu, _] = gpus();
    let shape = Shape::new(4, 4, 8);
    let (x, y) = (blank(&gpu, shape), blank(&gpu, shape));
    let (w, bias, short) = (weights(&gpu, 8, 8, &[0.0; 64]), vector(&gpu, &[0.0; 8]), vector(&gpu, &[0.0; 7]));
    let small = blank(&gpu, Shape::new(2, 2, 8));
    let plain = Epilogue { bias: &bias, residual: Residual::None, activation: Activation::None };
    let batch = batch(&gpu, 0, 1);
    let mut r = Recorder::new(&gpu, &batch, phase(1));
    let mut refused = |e: Epilogue<'_>, y: &Image, says: &str| {
        let error = r.pointwise("head", &x, &w, e, y).unwrap_err().to_string();
        assert!(error.starts_with("head: ") && error.contains(says), "{error}");
    };
    refused(plain, &small, "y (2, 2, 8) of x (4, 4, 8)");
    refused(Epilogue { bias: &short, ..plain }, &y, "a bias of 7 for 8 channels");
    refused(Epilogue { residual: Residual::Same(&small), ..plain }, &y, "a residual of (2, 2, 8) for y (4, 4, 8)");
    refused(Epilogue { residual: Residual::Pooled(&small), ..plain }, &y, "(2, 2, 8) does not pool into y (4, 4, 8)");
    refused(Epilogue { activation: Activation::Prelu(&short), ..plain }, &y, "7 slopes for 8 channels");
    refused(Epilogue { activation: Activation::Sigmoid(9), ..plain }, &y, "the sigmoid of 9 channels, there are 8");
    let narrow = blank(&gpu, Shape::new(4, 4, 7));
    refused(plain, &narrow, "weights (8, 8) in parts [\"f32\"], (7, 8) in one of f32 are needed");
    let halves = Matrix::new(&gpu, "test", &[(GgmlType::F16, 8)], 8).unwrap();
    let error = r.pointwise("head", &x, &halves, plain, &y).unwrap_err().to_string();
    assert!(error.contains("[\"f16\"]"), "{error}");
    let error = r.upsample_add("up", &small, Activation::None, &small, &y).unwrap_err().to_string();
    assert!(error.contains("y (4, 4, 8) of x (2, 2, 8) and a residual of (2, 2, 8)"), "{error}");
    let (taps, window) = (weights(&gpu, 49, 8, &[0.0; 392]), Window::same(7, 1, shape));
    let error = r.depthwise("dw", &x, &taps, 7, window, plain, &y).unwrap_err().to_string();
    assert!(error.contains("a window of 7 x 7, 3 x 3 and 5 x 5 are supported"), "{error}");
    let error = r.conv("stem", &small, &w, 1, Window::same(1, 1, shape), plain, &y).unwrap_err().to_string();
    assert!(error.contains("y (4, 4, 8) of x (2, 2, 8) with stride 1"), "{error}");
    let error = r.mean("mean", &x, &small).unwrap_err().to_string();
    assert!(error.contains("y (2, 2, 8) of x (4, 4, 8)"), "{error}");
    assert_eq!(r.plan.n_dispatches(), 0);
}
