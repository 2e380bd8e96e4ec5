//! Hands in pictures: both networks on a GPU, and the glue between them.
//!
//! In a video whose hands are all tracked, a picture is one submit and one readback: the picture, its crops, the landmark network
//! for each hand. Where palms are looked for, the palm network joins that submit, and the landmarks of hands that it found
//! are a second one.

mod crops;
mod info;
mod results;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use crops::{Crops, Places};
pub use info::{GpuInfo, Info, MemoryInfo, NetworkInfo, Stats};
use results::Results;

use super::glue::{Crop, Hand, LANDMARK_SIDE, LandmarkOutput, Options, PALM_SIDE, Region, Tracker};
use super::kind::Task;
use super::network::{Loaded, Network, load};
use crate::clock::Clock;
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::gpu::{Commands, CopyOut, Gpu, Ledger, PictureBuffer, PictureSource, Plan, Readback};
use crate::load::{LoadEvents, LoadProgress, read_header};
use crate::ops::CropParams;
use crate::source::ByteSource;

/// The first buffer for pictures is for those of this size.
const FIRST_PICTURE: [u32; 2] = [640, 480];

/// Finds hands, picture after picture. One picture at a time.
pub struct Detector {
    pub gpu: Gpu,
    pub info: Info,
    palms: Loaded,
    landmarks: Loaded,
    places: Places,
    results: Results,
    /// Replaced when a larger picture comes.
    crops: RefCell<Rc<Crops>>,
    /// For the hands alone, and with the palms; made when they are first needed.
    readbacks: RefCell<[Option<Readback>; 2]>,
    tracker: RefCell<Tracker>,
    busy: Cell<bool>,
    stats: Cell<Stats>,
}

/// A call under way.
struct Busy<'a>(&'a Cell<bool>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// What is to be read back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Read {
    Hands,
    Whole,
}

/// A picture that is on the GPU.
struct Taken {
    crops: Rc<Crops>,
    size: [u32; 2],
    pitch: u32,
}

impl Taken {
    fn params(&self, crop: &Crop) -> CropParams {
        CropParams::of(crop, self.size, self.pitch)
    }
}

impl Detector {
    /// Load the networks of a GGUF file, as [`convert`](super::convert::convert) makes it.
    ///
    /// # Errors
    /// `InvalidArgument` for an option out of its range; `UnsupportedArchitecture` where the file has not one network for
    /// palms and one for landmarks, as of 2021; as [`Network::of`] and [`load`].
    pub async fn load<S: ByteSource>(gpu: Gpu, source: &S, options: Options, events: &dyn LoadEvents) -> Result<Self> {
        let started = Clock::start();
        let tracker = Tracker::new(options)?;
        let (gguf, _) = read_header(source, events).await?;
        let palms = network(&gpu, &gguf, Task::Palm, PALM_SIDE)?;
        let landmarks = network(&gpu, &gguf, Task::Landmark, LANDMARK_SIDE)?;

        let memory = Ledger::new(gpu.caps.max_binding_bytes);
        let places = Places::new(&memory, options.max_hands)?;
        let outputs = landmarks.outputs();
        let &[hand] = &outputs[..] else { bail!(Internal, "the landmark network has {} outputs", outputs.len()) };
        let results = Results::new(&memory, &palms.outputs(), hand, options.max_hands)?;
        let allocate = || {
            memory.allocate(&gpu);
            let [width, height] = FIRST_PICTURE;
            let picture = PictureBuffer::new(&gpu, width, height)?;
            places.record(&gpu, picture, palms.input(), landmarks.input())
        };
        let crops = gpu.allocating("pictures of hands", allocate).await?;

        let weights = palms.weight_bytes + landmarks.weight_bytes;
        let activations = palms.memory.bytes() + landmarks.memory.bytes() + memory.bytes() - weights;
        let mut info = Info {
            palms: NetworkInfo::of(&palms),
            landmarks: NetworkInfo::of(&landmarks),
            memory: MemoryInfo { weights, activations },
            gpu: GpuInfo::of(&gpu),
            load_ms: 0.0,
            licence: gguf.metadata.description("general.license").map(Into::into),
        };
        let loaded = load(&gpu, source, vec![palms, landmarks], events).await?;
        let Ok([palms, landmarks]) = <[Loaded; 2]>::try_from(loaded) else {
            bail!(Internal, "two networks were to be loaded");
        };
        gpu.finish(true).await?;
        events.progress(LoadProgress::ready(weights));
        info.load_ms = started.ms();
        Ok(Detector {
            gpu,
            info,
            palms,
            landmarks,
            places,
            results,
            crops: RefCell::new(Rc::new(crops)),
            readbacks: RefCell::default(),
            tracker: RefCell::new(tracker),
            busy: Cell::default(),
            stats: Cell::default(),
        })
    }

    /// The hands of a picture that was taken `seconds` after some moment, the same for all pictures of a video: those of the
    /// picture before, in their order, then new ones.
    ///
    /// # Errors
    /// `InvalidArgument` for a picture without pixels, of another number of bytes or too large, or one that cannot be
    /// read; `InvalidState` while another call is under way; `OutOfGpuMemory`, `DeviceLost`. Hands are tracked
    /// on after an error.
    pub async fn detect(&self, picture: &PictureSource<'_>, seconds: f64) -> Result<Vec<Hand>> {
        let _busy = self.begin()?;
        let started = Clock::start();
        picture.check()?;
        let work = self.tracker.borrow_mut().begin(picture.width, picture.height, seconds)?;
        let crops = self.crops_for(picture).await?;
        let clock = Clock::start();
        let placed = crops.picture.put(&self.gpu, picture)?;
        let mut stats = Stats { upload_ms: clock.ms(), ..Stats::default() };
        let taken = Taken { crops, size: [picture.width, picture.height], pitch: placed.pitch };

        let n_tracked = work.regions.len();
        let palms = work.palms.map(|letterbox| letterbox.crop());
        let clock = Clock::start();
        let mut numbers = self.run(&taken, placed.commands, palms, &work.regions, 0).await?;
        let waited = if palms.is_some() { &mut stats.palms_ms } else { &mut stats.landmarks_ms };
        *waited = clock.ms();

        let mut n_hands = n_tracked;
        if palms.is_some() {
            let new = self.new_regions(&numbers)?;
            n_hands += new.len();
            if !new.is_empty() {
                let clock = Clock::start();
                numbers = self.run(&taken, None, None, &new, n_tracked).await?;
                stats.landmarks_ms = clock.ms();
            }
        }
        let outputs: Vec<LandmarkOutput<'_>> = (0..n_hands).map(|i| self.results.hand(&numbers, i)).collect();
        let hands = self.tracker.borrow_mut().finish(&outputs)?;
        stats.total_ms = started.ms();
        stats.glue_ms = stats.total_ms - stats.upload_ms - stats.palms_ms - stats.landmarks_ms;
        self.stats.set(stats);
        Ok(hands)
    }

    /// Forget all hands: the next picture has nothing to do with the last one.
    ///
    /// # Errors
    /// `InvalidState` while a picture is looked at.
    pub fn reset(&self) -> Result<()> {
        let _busy = self.begin()?;
        self.tracker.borrow_mut().reset();
        Ok(())
    }

    /// Times of the last picture.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats { gpu_bytes: self.gpu.allocated_bytes(), ..self.stats.get() }
    }

    fn begin(&self) -> Result<Busy<'_>> {
        if self.busy.replace(true) {
            bail!(InvalidState, "hands are being looked for in another picture; one call at a time is allowed");
        }
        Ok(Busy(&self.busy))
    }

    /// The crops of a buffer with room for the picture.
    async fn crops_for(&self, picture: &PictureSource<'_>) -> Result<Rc<Crops>> {
        let crops = self.crops.borrow().clone();
        if crops.picture.fits(picture) {
            return Ok(crops);
        }
        let grow = || {
            let grown = crops.picture.grown(&self.gpu, picture)?;
            self.places.record(&self.gpu, grown, self.palms.network.input(), self.landmarks.network.input())
        };
        let grown = Rc::new(self.gpu.allocating("a larger picture", grow).await?);
        self.crops.replace(grown.clone());
        Ok(grown)
    }

    /// Where hands are that are not tracked yet, by what the palm network gave.
    fn new_regions(&self, numbers: &[f32]) -> Result<Vec<Region>> {
        let mut tracker = self.tracker.borrow_mut();
        let found = self.results.found_palms(numbers, tracker.options().min_detection_score);
        tracker.detected(&found)
    }

    /// Run the palm network on a crop, if there is one, and the landmark network on regions, which are the hands from `first`
    /// on. Returns all numbers of hands so far, and those of palms if they were looked for.
    async fn run(
        &self,
        taken: &Taken,
        commands: Option<Commands>,
        palms: Option<Crop>,
        regions: &[Region],
        first: usize,
    ) -> Result<Vec<f32>> {
        let gpu = &self.gpu;
        let mut plans: Vec<&Plan> = Vec::new();
        if let Some(crop) = &palms {
            self.places.set_palms(gpu, taken.params(crop));
            plans.extend([&taken.crops.palms, &self.palms.plan, &self.results.palms]);
        }
        for (hand, region) in (first..).zip(regions) {
            self.places.set_hand(gpu, hand, taken.params(&region.crop()));
            plans.extend([&taken.crops.hands[hand], &self.landmarks.plan, &self.results.hands[hand]]);
        }
        let read = if palms.is_some() { Read::Whole } else { Read::Hands };
        let (bytes, readback) = self.readback(read);
        let copy = CopyOut { from: &self.results.buffer, bytes, to: &readback };
        gpu.submit_after(commands, plans, 1, Some(copy));
        let pending = gpu.map(&readback);
        let numbers = gpu.read_with(&readback, pending, floats).await?;
        self.readbacks.borrow_mut()[read as usize] = Some(readback);
        Ok(numbers)
    }

    /// The bytes to read, and where they come back. It is taken, not borrowed: a call may be abandoned while it waits.
    fn readback(&self, read: Read) -> (Range<u64>, Readback) {
        let bytes = match read {
            Read::Hands => self.results.hands_range(),
            Read::Whole => self.results.whole_range(),
        };
        let kept = self.readbacks.borrow_mut()[read as usize].take();
        let readback = kept.unwrap_or_else(|| self.gpu.readback(bytes.end));
        (bytes, readback)
    }
}

/// The network of a file for a purpose, as the glue needs it.
fn network(gpu: &Gpu, gguf: &Gguf, task: Task, side: u32) -> Result<Network> {
    let Some(network) = Network::of(gguf, task, gpu.caps.max_binding_bytes)? else {
        bail!(
            UnsupportedArchitecture,
            "the file has no network for '{}', one for 'palm' and one for 'landmark' are needed",
            task.name()
        );
    };
    if network.input().width != side {
        bail!(
            UnsupportedArchitecture,
            "the network for '{}' is '{}', of {} pixels a side; lite and full, of {side}, can be tracked with",
            task.name(),
            network.kind.variant,
            network.input().width
        );
    }
    Ok(network)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}
