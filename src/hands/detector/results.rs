//! What comes back from the networks: gathered in one buffer, so that a readback brings all of it.

use std::ops::Range;
use std::rc::Rc;

use super::super::glue::{LandmarkOutput, N_LANDMARKS, PALM_VALUES, Palm, decode_row};
use crate::error::{Result, bail};
use crate::gpu::{Allocate, Buffer, Plan, Usage};
use crate::ops::Image;

/// Coordinates of a hand's landmarks, in the picture or in the world.
const COORDINATES: usize = 3 * N_LANDMARKS;
/// Channels of the landmark network's head: whether the hand is a right one, presence, then both kinds of coordinates.
const HAND_VALUES: usize = 2 + 2 * COORDINATES;

/// The outputs of the landmark network for each hand, then those of the palm network.
pub struct Results {
    pub buffer: Rc<Buffer>,
    /// Copy the landmark network's output to where it is kept for a hand.
    pub hands: Vec<Plan>,
    /// Copy the palm network's.
    pub palms: Plan,
    hand_bytes: u64,
    grids: Vec<Grid>,
}

/// An output of the palm network.
struct Grid {
    /// Where it starts in the buffer.
    at_bytes: u64,
    places: usize,
    /// Numbers from one place to the next.
    stride: usize,
    anchors: usize,
}

fn bytes(image: &Image) -> u64 {
    u64::from(image.shape().places() * image.rows.stride()) * 4
}

impl Results {
    /// For these outputs of the palm network, the finer grid first, and of the landmark network.
    ///
    /// # Errors
    /// As [`Allocate::buffer`]; `Internal` where they are not as the glue reads them.
    pub fn new(from: &dyn Allocate, palms: &[&Image], hand: &Image, max_hands: u32) -> Result<Self> {
        if hand.shape().places() != 1 || hand.rows.width as usize != HAND_VALUES {
            bail!(Internal, "the landmark network gives {}, (1, 1, {HAND_VALUES}) is read", hand.shape());
        }
        let hand_bytes = bytes(hand);
        let mut end = hand_bytes * u64::from(max_hands);
        let mut grids = Vec::new();
        for image in palms {
            let anchors = image.rows.width as usize / (1 + PALM_VALUES);
            let (places, stride) = (image.shape().places() as usize, image.rows.stride() as usize);
            grids.push(Grid { at_bytes: end, places, stride, anchors });
            end += bytes(image);
        }
        let buffer = from.buffer("results", end, Usage::Storage)?;
        let copied = |image: &Image, at_bytes, plan: &mut Plan| {
            plan.copy_to(image.rows.buffer.clone(), buffer.clone(), at_bytes, bytes(image));
        };
        let mut of_palms = Plan::default();
        palms.iter().zip(&grids).for_each(|(image, grid)| copied(image, grid.at_bytes, &mut of_palms));
        let of_hand = |i: u32| {
            let mut plan = Plan::default();
            copied(hand, hand_bytes * u64::from(i), &mut plan);
            plan
        };
        let hands = (0..max_hands).map(of_hand).collect();
        Ok(Results { buffer, hands, palms: of_palms, hand_bytes, grids })
    }

    /// The bytes of all hands.
    #[must_use]
    pub fn hands_range(&self) -> Range<u64> {
        0..self.hand_bytes * self.hands.len() as u64
    }

    /// The bytes of hands and palms.
    #[must_use]
    pub fn whole_range(&self) -> Range<u64> {
        0..self.buffer.bytes()
    }

    /// The palms of a score and more, of the numbers of [`whole_range`](Self::whole_range).
    #[must_use]
    pub fn found_palms(&self, numbers: &[f32], min_score: f64) -> Vec<Palm> {
        let mut first = 0;
        let mut found = Vec::new();
        for grid in &self.grids {
            let rows = numbers[grid.at_bytes as usize / 4..].chunks_exact(grid.stride).take(grid.places);
            for (place, row) in rows.enumerate() {
                let (scores, boxes) = row.split_at(grid.anchors);
                let (boxes, _) = boxes.as_chunks::<PALM_VALUES>();
                let anchors = scores.iter().zip(boxes).zip(first + place * grid.anchors..);
                found.extend(anchors.filter_map(|((&score, row), index)| decode_row(index, row, score, min_score)));
            }
            first += grid.places * grid.anchors;
        }
        found
    }

    /// What the landmark network gave for a hand, of the numbers of either range.
    #[must_use]
    pub fn hand<'n>(&self, numbers: &'n [f32], hand: usize) -> LandmarkOutput<'n> {
        let row = &numbers[hand * self.hand_bytes as usize / 4..][..HAND_VALUES];
        let (landmarks, world) = row[2..].split_at(COORDINATES);
        LandmarkOutput { landmarks, presence: row[1], right: row[0], world }
    }
}
