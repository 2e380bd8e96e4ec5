//! Which images share a buffer: one that no step reads any more makes room for another.

use super::design::{Design, Id};
use crate::error::Result;
use crate::gpu::{Allocate, Usage};
use crate::ops::{Image, Shape, Tensor, n_groups};

fn bytes(shape: Shape) -> u64 {
    u64::from(shape.places()) * u64::from(n_groups(shape.channels)) * 64
}

/// For each image the number of its buffer, and the bytes of each buffer. The input and the outputs have buffers of their own:
/// they are written before the network runs, and read after it.
fn assign(design: &Design) -> (Vec<usize>, Vec<u64>) {
    let mut last_use = vec![0; design.images.len()];
    for (i, step) in design.steps.iter().enumerate() {
        for id in [Some(step.x), step.skip.id()].into_iter().flatten() {
            last_use[id] = i;
        }
    }
    let own = |id: Id| id == design.input() || design.outputs.contains(&id);
    let mut buffers = vec![0; design.images.len()];
    let mut sizes = vec![bytes(design.images[design.input()])];
    let mut free: Vec<usize> = Vec::new();
    for (i, step) in design.steps.iter().enumerate() {
        let wanted = bytes(design.images[step.y]);
        // The one that has to grow least, and of those that are large enough, the smallest.
        let best = |&&b: &&usize| (wanted.saturating_sub(sizes[b]), sizes[b]);
        let buffer = match free.iter().min_by_key(best).copied().filter(|_| !own(step.y)) {
            Some(buffer) => buffer,
            None => {
                sizes.push(0);
                sizes.len() - 1
            }
        };
        free.retain(|&b| b != buffer);
        sizes[buffer] = sizes[buffer].max(wanted);
        buffers[step.y] = buffer;
        let read = [Some(step.x), step.skip.id()].into_iter().flatten();
        let mut done: Vec<usize> = read.filter(|&id| last_use[id] == i && !own(id)).map(|id| buffers[id]).collect();
        done.dedup();
        free.extend(done);
    }
    (buffers, sizes)
}

/// The images of a network.
///
/// # Errors
/// As [`Allocate::buffer`].
pub fn images(from: &dyn Allocate, design: &Design) -> Result<Vec<Image>> {
    let (buffers, sizes) = assign(design);
    let label = |i| format!("{}.images{i}", design.prefix);
    let made = sizes.iter().enumerate().map(|(i, &bytes)| from.buffer(&label(i), bytes, Usage::Storage));
    let made = made.collect::<Result<Vec<_>>>()?;
    let image = |(&shape, &buffer): (&Shape, &usize)| {
        Image::of(Tensor { buffer: made[buffer].clone(), width: shape.channels }, shape)
    };
    Ok(design.images.iter().zip(&buffers).map(image).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{landmark, palm};
    use super::*;

    #[test]
    fn nothing_is_overwritten_before_it_was_read() {
        for design in [palm::palm(3), palm::palm(4), landmark::lite(), landmark::full(), landmark::of_2020()] {
            let (buffers, sizes) = assign(&design);
            assert!(sizes.len() < 10, "{}: {} buffers for {} images", design.prefix, sizes.len(), buffers.len());
            let mut holds = vec![None; sizes.len()];
            holds[buffers[0]] = Some(0);
            for step in &design.steps {
                for id in [Some(step.x), step.skip.id()].into_iter().flatten() {
                    assert_eq!(holds[buffers[id]], Some(id), "{}", step.name);
                    assert_ne!(buffers[id], buffers[step.y], "{} writes what it reads", step.name);
                }
                holds[buffers[step.y]] = Some(step.y);
                assert!(bytes(design.images[step.y]) <= sizes[buffers[step.y]], "{}", step.name);
            }
            assert!(design.outputs.iter().all(|&id| holds[buffers[id]] == Some(id)), "{}", design.prefix);
            assert_eq!(holds[buffers[0]], Some(0), "the input is there for another run");
        }
    }
}
