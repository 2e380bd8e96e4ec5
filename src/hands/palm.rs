//! Palm detection: boxes, key points and scores of 2016 anchors.

use super::design::{Act, Design, Id, Skip};
use crate::ops::Shape;

/// Side of the input, in pixels.
const SIZE: u32 = 192;
/// Anchors of a place, of the finer and the coarser grid.
const ANCHORS: [u32; 2] = [2, 6];
/// Numbers of an anchor: a box and seven key points.
const NUMBERS: u32 = 18;

/// The network with `repeats` residual blocks in each stage: 3 in LITE, 4 in FULL. Outputs: `head8 (24, 24, 2 + 36)` and
/// `head16 (12, 12, 6 + 108)`, for each place the scores of its anchors before the sigmoid, then their numbers.
#[must_use]
pub fn palm(repeats: u32) -> Design {
    let mut d = Design::new("palm", Shape::new(SIZE, SIZE, 3));
    let x = d.conv("stem", d.input(), 5, 2, 32, Act::Prelu); //                          96 x 96
    let x = residuals(&mut d, "stage1", 1, x, 32, repeats);
    let x = stage(&mut d, "stage2", x, 64, repeats); //                             48 x 48
    let t24 = stage(&mut d, "stage3", x, 128, repeats); //                          24 x 24
    let t12 = stage(&mut d, "stage4", t24, 256, repeats); //                       12 x 12
    let x = stage(&mut d, "stage5", t12, 256, repeats); //                          6 x 6
    let x = upward(&mut d, "up12", x, t12, 256);
    let x = residuals(&mut d, "up12", 1, x, 256, 2);
    let head16 = heads(&mut d, "head16", x, ANCHORS[1]);
    let x = upward(&mut d, "up24", x, t24, 128);
    let x = residuals(&mut d, "up24", 1, x, 128, 2);
    let head8 = heads(&mut d, "head8", x, ANCHORS[0]);
    // Anchors go from the finer grid to the coarser.
    d.outputs = vec![head8, head16];
    d
}

/// A block that halves the image, then `repeats` residual blocks.
fn stage(d: &mut Design, name: &str, x: Id, channels: u32, repeats: u32) -> Id {
    let h = d.depthwise(&format!("{name}.block1.depthwise"), x, 5, 2, Act::None);
    let x = d.pointwise(&format!("{name}.block1.pointwise"), h, channels, Skip::Pooled(x), Act::Prelu);
    residuals(d, name, 2, x, channels, repeats)
}

/// Blocks `first` and so on: `prelu(x + pointwise(depthwise(x)))`.
fn residuals(d: &mut Design, name: &str, first: u32, mut x: Id, channels: u32, repeats: u32) -> Id {
    for i in first..first + repeats {
        let h = d.depthwise(&format!("{name}.block{i}.depthwise"), x, 5, 1, Act::None);
        x = d.pointwise(&format!("{name}.block{i}.pointwise"), h, channels, Skip::Same(x), Act::Prelu);
    }
    x
}

/// `skip + prelu(pointwise(x, twice as large))`. Enlarging and a pointwise convolution are both linear and can change places: at
/// the small size, the convolution is a quarter of the work.
fn upward(d: &mut Design, name: &str, x: Id, skip: Id, channels: u32) -> Id {
    let h = d.pointwise(&format!("{name}.pointwise"), x, channels, Skip::None, Act::None);
    d.upsample(&format!("{name}.upsample"), h, Act::Prelu, skip)
}

fn heads(d: &mut Design, name: &str, x: Id, anchors: u32) -> Id {
    d.heads(name, x, false, &[anchors, NUMBERS * anchors], Act::None)
}
