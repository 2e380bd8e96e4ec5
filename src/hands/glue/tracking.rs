//! From picture to picture: what to look at next, and which hands there are.

use super::smoothing::PointFilters;
use super::{
    Hand, LandmarkOutput, Landmarks, Letterbox, Options, Palm, Region, Smoothing, iou, is_same_hand, suppress,
};
use crate::Result;
use crate::error::bail;
use crate::floats;

/// Two regions are of one hand when they overlap more, rotations ignored.
const SAME_HAND_IOU: f64 = 0.5;

/// What the networks are to do for a picture. Both parts may run at the same time.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// Run the palm network on this, and give its palms to [`Tracker::detected`].
    pub palms: Option<Letterbox>,
    /// Run the landmark network on each of these.
    pub regions: Vec<Region>,
}

/// Hands from picture to picture, without a GPU: it says what the networks are to do, and takes their results.
///
/// A picture is [`begin`](Self::begin), then [`detected`](Self::detected) if palms are to be looked for, then
/// [`finish`](Self::finish). The palm network runs for each picture in which fewer than `max_hands` hands are tracked: with
/// 2 and one hand in sight, for every picture. `tasks/cc/vision/hand_landmarker/hand_landmarker_graph.cc`.
///
/// ```
/// use webgguf::hands::glue::{LandmarkOutput, Options, Tracker, decode};
/// # fn palm_network(_: webgguf::hands::glue::Crop) -> (Vec<f32>, Vec<f32>) { (vec![0.0; 2016 * 18], vec![-9.0; 2016]) }
/// # fn landmark_network(_: webgguf::hands::glue::Crop) -> LandmarkOutput<'static> { unreachable!() }
/// # fn main() -> webgguf::Result<()> {
/// let mut tracker = Tracker::new(Options::default())?;
/// let work = tracker.begin(640, 480, 0.0)?;
/// let mut regions = work.regions;
/// if let Some(letterbox) = work.palms {
///     let (boxes, scores) = palm_network(letterbox.crop());
///     regions.extend(tracker.detected(&decode(&boxes, &scores, tracker.options().min_detection_score)?)?);
/// }
/// let outputs: Vec<LandmarkOutput> = regions.iter().map(|region| landmark_network(region.crop())).collect();
/// let hands = tracker.finish(&outputs)?;
/// # assert!(hands.is_empty());
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Tracker {
    options: Options,
    tracked: Vec<Tracked>,
    frame: Option<Frame>,
    /// When the last finished picture was taken.
    last: f64,
}

/// A hand of the last picture.
#[derive(Debug, Clone)]
struct Tracked {
    /// Where it is looked for.
    region: Region,
    /// With smoothing: of its landmarks and its world landmarks.
    filters: Option<[PointFilters; 2]>,
}

/// The picture at work.
#[derive(Debug, Clone)]
struct Frame {
    letterbox: Letterbox,
    seconds: f64,
    awaits_palms: bool,
    /// Those of the tracked hands, then new ones.
    regions: Vec<Region>,
}

impl Tracker {
    /// # Errors
    /// `InvalidArgument` for an option out of its range.
    pub fn new(options: Options) -> Result<Self> {
        options.check()?;
        Ok(Tracker { options, tracked: Vec::new(), frame: None, last: 0.0 })
    }

    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Forgets all hands: the next picture has nothing to do with the last one.
    pub fn reset(&mut self) {
        self.tracked.clear();
        self.frame = None;
    }

    /// The next picture, of `width` x `height` pixels, taken at a time that only smoothing asks for: where it is not after
    /// the last picture's, smoothing begins anew. A picture that was begun and not finished is given up.
    ///
    /// # Errors
    /// `InvalidArgument` for a picture without pixels, or a time that is not finite.
    pub fn begin(&mut self, width: u32, height: u32, seconds: f64) -> Result<Work> {
        let letterbox = Letterbox::new(width, height)?;
        if !seconds.is_finite() {
            bail!(
                InvalidArgument,
                "time of the picture is {}, allowed is a finite number of seconds",
                floats::text(seconds)
            );
        }
        let regions: Vec<Region> = self.tracked.iter().map(|hand| hand.region).collect();
        let awaits_palms = regions.len() < self.options.max_hands as usize;
        self.frame = Some(Frame { letterbox, seconds, awaits_palms, regions: regions.clone() });
        Ok(Work { palms: awaits_palms.then_some(letterbox), regions })
    }

    /// Takes the palms that were found, as [`decode`](super::decode) gives them, before suppression. Returns the regions
    /// that the landmark network is to see besides those of [`Work`].
    ///
    /// These are of the best `max_hands` palms, those that overlap no region before them, as many as there is room for.
    /// `tasks/cc/vision/hand_landmarker/calculators/hand_association_calculator.cc`, then a clip. (solutions:
    /// `util/association_calculator.h` puts detected ones that are left first, and does not clip.)
    ///
    /// # Errors
    /// `InvalidState` where no palms are looked for.
    pub fn detected(&mut self, palms: &[Palm]) -> Result<Vec<Region>> {
        let max_hands = self.options.max_hands as usize;
        let Some(frame) = self.frame.as_mut().filter(|frame| frame.awaits_palms) else {
            bail!(InvalidState, "palms came, but no picture waits for palms");
        };
        frame.awaits_palms = false;
        let n_tracked = frame.regions.len();
        let palms = suppress(palms);
        let regions = palms.iter().map(|palm| Region::of_palm(&frame.letterbox.to_picture(palm)));
        for region in regions.filter(Region::has_area).take(max_hands) {
            let is_new = frame.regions.iter().all(|other| iou(&region.bounds(), &other.bounds()) <= SAME_HAND_IOU);
            if is_new && frame.regions.len() < max_hands {
                frame.regions.push(region);
            }
        }
        Ok(frame.regions[n_tracked..].to_vec())
    }

    /// Takes what the landmark network saw: the regions of [`Work`], then those of [`detected`](Self::detected). Returns
    /// the hands, in the same order.
    ///
    /// A hand without presence is dropped, and so is the second look at a hand. The others are tracked.
    ///
    /// # Errors
    /// `InvalidState` where no picture was begun, or its palms have not come; `InvalidArgument` for another number of
    /// outputs than regions, or of landmarks. The picture can still be finished then.
    pub fn finish(&mut self, outputs: &[LandmarkOutput]) -> Result<Vec<Hand>> {
        let Some(frame) = &self.frame else { bail!(InvalidState, "landmarks came, but no picture was begun") };
        if frame.awaits_palms {
            bail!(InvalidState, "landmarks came, but the picture waits for palms");
        }
        if outputs.len() != frame.regions.len() {
            bail!(InvalidArgument, "landmarks of {} regions came, needed are {}", outputs.len(), frame.regions.len());
        }
        outputs.iter().try_for_each(LandmarkOutput::check)?;

        let mut found: Vec<(usize, Landmarks)> = Vec::new();
        for (i, (output, region)) in outputs.iter().zip(&frame.regions).enumerate() {
            let Some(hand) = Landmarks::new(output, region)? else { continue };
            let is_there = hand.presence > self.options.min_presence_score;
            if is_there && !found.iter().any(|(_, other)| is_same_hand(&hand.landmarks, &other.landmarks)) {
                found.push((i, hand));
            }
        }

        let (letterbox, elapsed) = (frame.letterbox, frame.seconds - self.last);
        self.last = frame.seconds;
        self.frame = None;
        let mut before: Vec<Option<Tracked>> = std::mem::take(&mut self.tracked).into_iter().map(Some).collect();
        let mut hands = Vec::new();
        for (i, mut hand) in found {
            // Smoothing must not make the region late.
            let region = Region::of_landmarks(&hand.landmarks);
            let filters = before.get_mut(i).and_then(Option::take).and_then(|tracked| tracked.filters);
            let filters = self.options.smoothing.map(|smoothing| smooth(&mut hand, filters, elapsed, &smoothing));
            hands.push(Hand::new(&hand, &letterbox));
            if region.has_area() {
                self.tracked.push(Tracked { region, filters });
            }
        }
        Ok(hands)
    }
}

/// Smooths a hand, `seconds` after the last picture, by the filters it had there.
fn smooth(
    hand: &mut Landmarks,
    filters: Option<[PointFilters; 2]>,
    seconds: f64,
    smoothing: &Smoothing,
) -> [PointFilters; 2] {
    let [mut landmarks, mut world] = match filters {
        Some(filters) if seconds > 0.0 => filters,
        _ => return [PointFilters::new(&hand.landmarks), PointFilters::new(&hand.world)],
    };
    hand.landmarks = landmarks.next(&hand.landmarks, seconds, smoothing);
    hand.world = world.next(&hand.world, seconds, smoothing);
    [landmarks, world]
}

#[cfg(test)]
mod tests;
