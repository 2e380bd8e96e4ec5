//! Landmarks of a hand: 21 points in the image and in the world, presence and handedness.

use super::design::{Act, Design, Id, Skip};
use crate::ops::Shape;

/// Coordinates of 21 points.
const POINTS: u32 = 63;

/// What a block adds to its output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plus {
    Nothing,
    /// Its input.
    Input,
    /// Its input, pooled 2 x 2.
    Pooled,
}

/// A block of MobileNetV2 (arXiv:1801.04381).
struct Block {
    expanded: u32,
    kernel: u32,
    stride: u32,
    channels: u32,
    plus: Plus,
}

const fn block(expanded: u32, kernel: u32, stride: u32, channels: u32, plus: Plus) -> Block {
    Block { expanded, kernel, stride, channels, plus }
}

const LITE: [Block; 14] = [
    block(64, 3, 2, 16, Plus::Pooled), //   56 x 56
    block(96, 3, 1, 16, Plus::Input),
    block(96, 5, 2, 24, Plus::Nothing), //  28 x 28
    block(144, 5, 1, 24, Plus::Input),
    block(144, 3, 2, 48, Plus::Nothing), // 14 x 14
    block(288, 3, 1, 48, Plus::Input),
    block(288, 3, 1, 48, Plus::Input),
    block(288, 5, 1, 64, Plus::Nothing),
    block(384, 5, 1, 64, Plus::Input),
    block(384, 5, 1, 64, Plus::Input),
    block(384, 5, 2, 112, Plus::Nothing), // 7 x 7
    block(672, 5, 1, 112, Plus::Input),
    block(672, 5, 1, 112, Plus::Input),
    block(672, 5, 1, 112, Plus::Input),
];

const FULL: [Block; 14] = [
    block(64, 3, 2, 24, Plus::Nothing), //  56 x 56
    block(144, 3, 1, 24, Plus::Input),
    block(144, 5, 2, 40, Plus::Nothing), // 28 x 28
    block(240, 5, 1, 40, Plus::Input),
    block(240, 3, 2, 80, Plus::Nothing), // 14 x 14
    block(480, 3, 1, 80, Plus::Input),
    block(480, 3, 1, 80, Plus::Input),
    block(480, 5, 1, 112, Plus::Nothing),
    block(672, 5, 1, 112, Plus::Input),
    block(672, 5, 1, 112, Plus::Input),
    block(672, 5, 2, 192, Plus::Nothing), // 7 x 7
    block(1152, 5, 1, 192, Plus::Input),
    block(1152, 5, 1, 192, Plus::Input),
    block(1152, 5, 1, 192, Plus::Input),
];

/// LITE: see [`landmark`].
#[must_use]
pub fn lite() -> Design {
    landmark(&LITE, 672)
}

/// FULL: see [`landmark`].
#[must_use]
pub fn full() -> Design {
    landmark(&FULL, 1152)
}

/// The network of 2021. Output: `heads (1, 1, 1 + 1 + 63 + 63)`: whether the hand is a right one, presence, points in pixels
/// of the input, points in metres.
fn landmark(blocks: &[Block], last: u32) -> Design {
    let mut d = Design::new("landmark", Shape::new(224, 224, 3));
    let x = d.conv("stem", d.input(), 3, 2, 24, Act::Relu6); // 112 x 112
    let h = d.depthwise("block0.depthwise", x, 3, 1, Act::Relu6);
    let mut x = d.pointwise("block0.project", h, 16, Skip::None, Act::None);
    for (i, b) in (1..).zip(blocks) {
        let h = d.pointwise(&format!("block{i}.expand"), x, b.expanded, Skip::None, Act::Relu6);
        let h = d.depthwise(&format!("block{i}.depthwise"), h, b.kernel, b.stride, Act::Relu6);
        let skip = match b.plus {
            Plus::Nothing => Skip::None,
            Plus::Input => Skip::Same(x),
            Plus::Pooled => Skip::Pooled(x),
        };
        x = d.pointwise(&format!("block{i}.project"), h, b.channels, skip, Act::None);
    }
    let h = d.pointwise("last.expand", x, last, Skip::None, Act::Relu6);
    let h = d.depthwise("last.depthwise", h, 3, 1, Act::Relu6);
    let h = d.mean("last.mean", h);
    d.heads("heads", h, false, &[1, 1, POINTS, POINTS], Act::Sigmoid(2));
    d
}

/// The network of 2020. Output: `heads (1, 1, 1 + 1 + 63)`: presence, whether the hand is a right one, points in pixels of the
/// input.
#[must_use]
pub fn of_2020() -> Design {
    let mut d = Design::new("landmark", Shape::new(256, 256, 3));
    let x = d.conv("stem", d.input(), 3, 2, 24, Act::Relu); //   128 x 128
    let x = residuals(&mut d, "stage1", 1, x, 24, 2);
    let t64 = halved(&mut d, "stage2", x, 48); //                 64 x 64
    let x = residuals(&mut d, "stage2", 2, t64, 48, 2);
    let t32 = halved(&mut d, "stage3", x, 96); //                 32 x 32
    let x = residuals(&mut d, "stage3", 2, t32, 96, 2);
    let t16 = halved(&mut d, "stage4", x, 96); //                 16 x 16
    let x = residuals(&mut d, "stage4", 2, t16, 96, 2);
    let x = halved(&mut d, "stage5", x, 96); //                    8 x 8
    let x = d.upsample("up16.upsample", x, Act::None, t16);
    let x = residuals(&mut d, "up16", 1, x, 96, 1);
    let x = d.upsample("up32.upsample", x, Act::None, t32);
    let x = residuals(&mut d, "up32", 1, x, 96, 1);
    let x = d.pointwise("up64.pointwise", x, 48, Skip::None, Act::None);
    let x = d.upsample("up64.upsample", x, Act::None, t64);
    let mut x = residuals(&mut d, "up64", 1, x, 48, 4);
    for (name, channels) in [("stage6", 96), ("stage7", 288), ("stage8", 288), ("stage9", 288), ("stage10", 288)] {
        x = halved(&mut d, name, x, channels); //                 32 x 32 to 2 x 2
        x = residuals(&mut d, name, 2, x, channels, 4);
    }
    d.heads("heads", x, true, &[1, 1, POINTS], Act::Sigmoid(2));
    d
}

/// Block 1 of a stage: half the size.
fn halved(d: &mut Design, name: &str, x: Id, channels: u32) -> Id {
    let h = d.depthwise(&format!("{name}.block1.depthwise"), x, 5, 2, Act::None);
    d.pointwise(&format!("{name}.block1.pointwise"), h, channels, Skip::Pooled(x), Act::Relu)
}

/// Blocks `first` and so on: `relu(x + pointwise(depthwise(x)))`.
fn residuals(d: &mut Design, name: &str, first: u32, mut x: Id, channels: u32, repeats: u32) -> Id {
    for i in first..first + repeats {
        let h = d.depthwise(&format!("{name}.block{i}.depthwise"), x, 5, 1, Act::None);
        x = d.pointwise(&format!("{name}.block{i}.pointwise"), h, channels, Skip::Same(x), Act::Relu);
    }
    x
}
