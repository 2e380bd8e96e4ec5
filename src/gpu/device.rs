//! The adapter, the device and what they can do.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use futures_channel::oneshot;
#[cfg(target_arch = "wasm32")]
use {
    crate::clock::Clock,
    futures_util::future::{Either, select},
    std::pin::pin,
};

use super::kernel::{Key, Pipeline};
use super::raw::{self, Adapter, Answer, Features, Limits, Reports};
use crate::error::{Error, Result, bail};

/// What this device can do, as far as kernels and memory planning ask.
#[derive(Debug, Clone)]
pub struct Caps {
    /// As the driver names itself; browsers may say little.
    pub adapter: String,
    pub backend: &'static str,
    /// Bytes of the largest buffer that a kernel can bind.
    pub max_binding_bytes: u64,
    /// Workgroups of one dimension of a dispatch.
    pub max_workgroups: u32,
    /// Invocations of the smallest subgroup, a power of two; 0 where subgroups are not to be used.
    pub subgroup_min: u32,
    pub timestamps: bool,
    /// Whether the device is made for f16 (shader-f16): kernels pack and unpack it without, but slower.
    pub f16: bool,
    /// Whether WGSL has products of four 8-bit integers (dp4a).
    pub int8_products: bool,
    /// Whether the adapter is a CPU in truth.
    pub software: bool,
    /// Dispatches that are handed over at a time.
    pub dispatches_per_submit: usize,
}

/// How much of a device is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeviceProfile {
    /// The limits and features that it offers.
    #[default]
    Full,
    /// What Safari on phones bears: the limits that every device has, no subgroups, few dispatches a submit.
    Ios,
}

impl DeviceProfile {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DeviceProfile::Full => "full",
            DeviceProfile::Ios => "ios",
        }
    }

    fn limits(self, adapter: &Adapter) -> Limits {
        match self {
            DeviceProfile::Full => adapter.limits(),
            DeviceProfile::Ios => Limits::LEAST,
        }
    }

    /// # Errors
    /// `InvalidArgument` where there is no such profile.
    pub fn from_name(name: &str) -> Result<Self> {
        match [DeviceProfile::Full, DeviceProfile::Ios].into_iter().find(|p| p.name() == name) {
            Some(profile) => Ok(profile),
            None => bail!(InvalidArgument, "profile is '{name}'; full and ios are allowed"),
        }
    }
}

/// Dispatches that Safari on phones takes a submit without trouble.
const IOS_DISPATCHES: usize = 25;

/// Milliseconds in which a browser tells of a lost device.
#[cfg(target_arch = "wasm32")]
const LOSS_MS: i32 = 200;

/// When Chrome is made to look for what the GPU has done, in milliseconds from the begin of a wait, in which the page's thread
/// does not rest.
#[cfg(target_arch = "wasm32")]
const LOOKS_MS: [f64; 7] = [0.15, 0.3, 0.5, 0.8, 1.2, 1.8, 2.5];

/// After that it rests, for this part of the time that it has waited.
#[cfg(target_arch = "wasm32")]
const REST: f64 = 1.0 / 8.0;

/// The longest rest in milliseconds.
#[cfg(target_arch = "wasm32")]
const LONGEST_REST_MS: f64 = 4.0;

/// A device and its queue. Created once a model; everything on the GPU hangs from it.
pub struct Gpu {
    pub(super) device: raw::Device,
    pub caps: Caps,
    pub(super) modules: RefCell<Vec<(String, raw::Module)>>,
    pub(super) pipelines: RefCell<Vec<(Key, Rc<Pipeline>)>>,
    pub(super) allocated_bytes: Rc<Cell<u64>>,
    /// How often plans were submitted.
    pub(super) n_submits: Cell<u64>,
    faults: Arc<Mutex<Faults>>,
}

/// What the device reported out of turn. Callbacks set it; the next call that waits returns it.
#[derive(Default)]
struct Faults {
    lost: Option<String>,
    error: Option<Error>,
    /// Who waits for the loss.
    waiting: Vec<oneshot::Sender<String>>,
}

/// Bytes of the largest buffer that kernels can bind whole.
fn max_binding_bytes(limits: Limits) -> u64 {
    limits.binding_bytes.min(limits.buffer_bytes)
}

/// Takes note of what a device reports.
fn reports(faults: &Arc<Mutex<Faults>>) -> Reports {
    let (on_lost, on_error) = (faults.clone(), faults.clone());
    Reports {
        lost: Box::new(move |reason, message| {
            if let Ok(mut f) = on_lost.lock() {
                let message = format!("the GPU device was lost ({reason}): {message}");
                for waiting in f.waiting.drain(..) {
                    let _ = waiting.send(message.clone());
                }
                f.lost = Some(message);
            }
        }),
        error: Box::new(move |e| {
            if let Ok(mut f) = on_error.lock() {
                f.error.get_or_insert(e);
            }
        }),
    }
}

impl Gpu {
    /// [`Caps::max_binding_bytes`] of the device that [`Gpu::with_profile`] would make.
    ///
    /// # Errors
    /// `NoWebgpu` where there is no adapter.
    pub async fn offered_binding_bytes(profile: DeviceProfile) -> Result<u64> {
        Ok(max_binding_bytes(profile.limits(&Adapter::request().await?)))
    }

    /// The fastest adapter there is, with the limits it offers.
    ///
    /// # Errors
    /// As [`Gpu::with_profile`].
    pub async fn new() -> Result<Self> {
        Self::with_profile(DeviceProfile::Full).await
    }

    /// The fastest adapter there is.
    ///
    /// # Errors
    /// `NoWebgpu` where there is no adapter, or none that gives a device.
    pub async fn with_profile(profile: DeviceProfile) -> Result<Self> {
        let adapter = Adapter::request().await?;
        let info = adapter.info();
        let limits = profile.limits(&adapter);
        let offered = adapter.features();
        let features = Features { subgroups: offered.subgroups && profile == DeviceProfile::Full, ..offered };
        let faults = Arc::new(Mutex::new(Faults::default()));
        let device = adapter.device(features, limits, reports(&faults)).await?;
        let caps = Caps {
            adapter: info.name,
            backend: info.backend,
            max_binding_bytes: max_binding_bytes(limits),
            max_workgroups: Limits::WORKGROUPS,
            subgroup_min: if features.subgroups && info.subgroup_min.is_power_of_two() { info.subgroup_min } else { 0 },
            timestamps: features.timestamps,
            f16: features.f16 && !info.software,
            int8_products: raw::has_int8_products(),
            software: info.software,
            dispatches_per_submit: if profile == DeviceProfile::Ios { IOS_DISPATCHES } else { usize::MAX },
        };
        Ok(Gpu {
            device,
            caps,
            modules: RefCell::default(),
            pipelines: RefCell::default(),
            allocated_bytes: Rc::default(),
            n_submits: Cell::default(),
            faults,
        })
    }

    /// The same device, as one without subgroups would do.
    #[must_use]
    pub fn without_subgroups(mut self) -> Self {
        self.caps.subgroup_min = 0;
        self
    }

    /// Bytes of all live buffers.
    #[must_use]
    pub fn allocated_bytes(&self) -> u64 {
        self.allocated_bytes.get()
    }

    /// Resolves to the reason when the device is lost or destroyed.
    pub fn lost(&self) -> oneshot::Receiver<String> {
        let (sender, receiver) = oneshot::channel();
        if let Ok(mut f) = self.faults.lock() {
            match &f.lost {
                Some(message) => {
                    let _ = sender.send(message.clone());
                }
                None => f.waiting.push(sender),
            }
        }
        receiver
    }

    /// # Errors
    /// What the device reported since the last call: `DeviceLost`, `OutOfGpuMemory` or `Internal`.
    pub async fn check(&self) -> Result<()> {
        match self.reported() {
            Ok(()) => Ok(()),
            Err(e) => Err(self.explain(e).await),
        }
    }

    /// What callbacks have set.
    fn reported(&self) -> Result<()> {
        let mut faults = self.faults.lock().map_err(|_| Error::Internal("a GPU callback panicked".into()))?;
        if let Some(message) = &faults.lost {
            bail!(DeviceLost, "{message}");
        }
        faults.error.take().map_or(Ok(()), Err)
    }

    /// The error, or the loss of the device that caused it: a device that goes away refuses first, and is reported lost
    /// a moment later.
    pub(super) async fn explain(&self, e: Error) -> Error {
        if !matches!(e, Error::Internal(_)) {
            return e;
        }
        #[cfg(target_arch = "wasm32")]
        raw::pause(LOSS_MS).await;
        let lost = self.faults.lock().ok().and_then(|f| f.lost.clone());
        lost.map_or(e, Error::DeviceLost)
    }

    /// Run `allocate` and learn whether the GPU had the memory.
    ///
    /// # Errors
    /// `OutOfGpuMemory` naming `what` where it had not; else what `allocate` returns.
    pub async fn allocating<T>(&self, what: &str, allocate: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.allocated_bytes();
        let scope = self.device.memory_scope();
        let made = allocate();
        let asked = self.allocated_bytes() - before.min(self.allocated_bytes());
        if let Some(e) = scope.end().await {
            bail!(OutOfGpuMemory, "the GPU has no {asked} bytes for {what}, on top of {before}: {e}");
        }
        made
    }

    /// Wait until everything that is submitted now has run, whatever is submitted before the wait begins. `hurry` where
    /// nothing else goes on meanwhile.
    ///
    /// # Errors
    /// As [`Gpu::check`].
    pub fn finish(&self, hurry: bool) -> impl Future<Output = Result<()>> {
        let done = self.device.done();
        self.poll();
        async move {
            let _ = self.answered(done, hurry).await;
            self.check().await
        }
    }

    /// Wait for an answer of the GPU's. Chrome looks whether the GPU is done at once, and then after 2 ms or more; any
    /// command makes it look before. Firefox looks every 100 ms, and at each submit, even one of nothing. Nothing of this
    /// costs other browsers what can be measured. Without `hurry` there is other work for the page or the GPU, which looks
    /// would only hold up.
    #[cfg(target_arch = "wasm32")]
    pub(super) async fn answered(&self, mut answer: Answer, hurry: bool) -> Result<(), String> {
        let begin = Clock::start();
        for at in LOOKS_MS.into_iter().filter(|_| hurry) {
            while begin.ms() < at {
                if let Either::Left((got, _)) = select(&mut answer, pin!(raw::turn())).await {
                    return got;
                }
            }
            self.device.look();
        }
        loop {
            let shortest = if hurry { 1.0 } else { LONGEST_REST_MS };
            let ms = (begin.ms() * REST).max(shortest).min(LONGEST_REST_MS) as i32;
            match select(&mut answer, pin!(raw::rest(ms))).await {
                Either::Left((got, _)) => return got,
                Either::Right(_) => self.device.submit([]),
            };
        }
    }

    /// Wait for an answer of the GPU's, which [`Gpu::poll`] has brought.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) async fn answered(&self, answer: Answer, _hurry: bool) -> Result<(), String> {
        answer.await
    }

    /// Natively, block until the GPU is done, so that answers come. Browsers give them by themselves.
    pub(super) fn poll(&self) {
        #[cfg(not(target_arch = "wasm32"))]
        self.device.poll();
    }

    /// Give the device up. Whatever is pending or comes later fails with `DeviceLost`.
    pub fn destroy(&self) {
        self.device.destroy();
    }
}

impl Drop for Gpu {
    fn drop(&mut self) {
        // A load that fails leaves nothing for the collector to find.
        self.destroy();
    }
}
