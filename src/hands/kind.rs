//! Which networks there are, and how files name them.

use super::design::Design;
use super::{landmark, palm};
use crate::error::{Result, bail};
use crate::formats::gguf::Gguf;
use crate::formats::tflite::Model;

/// `general.architecture` of a file with these networks.
pub const ARCHITECTURE: &str = "mediapipe-hands";

/// What a network is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Palms in a picture.
    Palm,
    /// The landmarks of a hand in a region.
    Landmark,
}

/// A network that there is.
pub struct Kind {
    pub task: Task,
    /// In the metadata of a file: `mediapipe-hands.palm.variant`.
    pub variant: &'static str,
    /// [`Model::known_network`]
    pub source: &'static str,
    design: fn() -> Design,
}

static KINDS: [Kind; 5] = [
    Kind { task: Task::Palm, variant: "lite", source: "MediaPipe palm detection, LITE", design: || palm::palm(3) },
    Kind { task: Task::Palm, variant: "full", source: "MediaPipe palm detection, FULL", design: || palm::palm(4) },
    Kind { task: Task::Landmark, variant: "lite", source: "MediaPipe hand landmarks, LITE", design: landmark::lite },
    Kind { task: Task::Landmark, variant: "full", source: "MediaPipe hand landmarks, FULL", design: landmark::full },
    Kind { task: Task::Landmark, variant: "2020", source: "MediaPipe hand landmarks, 2020", design: landmark::of_2020 },
];

impl Task {
    /// In the names of tensors and of metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Task::Palm => "palm",
            Task::Landmark => "landmark",
        }
    }
}

impl Kind {
    #[must_use]
    pub fn design(&self) -> Design {
        (self.design)()
    }

    /// The metadata's key for something of this network: `mediapipe-hands.palm.variant`.
    #[must_use]
    pub fn key(task: Task, what: &str) -> String {
        format!("{ARCHITECTURE}.{}.{what}", task.name())
    }

    /// The network of a TFLite file.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where it is none of these.
    pub fn of_tflite(model: &Model) -> Result<&'static Kind> {
        let found = model.known_network();
        match KINDS.iter().find(|kind| Some(kind.source) == found) {
            Some(kind) => Ok(kind),
            None => {
                let (found, all) = (found.unwrap_or("no known network"), KINDS.iter().map(|kind| kind.source));
                let all: Vec<&str> = all.collect();
                bail!(UnsupportedArchitecture, "the file holds {found}; supported are {}", all.join("; "))
            }
        }
    }

    /// The network of a GGUF file for this purpose; `None` where it has none.
    ///
    /// # Errors
    /// `UnsupportedArchitecture` where the file is of another architecture, or the variant is none of these; `MalformedGguf`.
    pub fn of_gguf(gguf: &Gguf, task: Task) -> Result<Option<&'static Kind>> {
        let architecture = gguf.architecture()?;
        if architecture != ARCHITECTURE {
            bail!(
                UnsupportedArchitecture,
                "architecture '{architecture}' is no network for hands, '{ARCHITECTURE}' is"
            );
        }
        let key = Kind::key(task, "variant");
        let Some(variant) = gguf.metadata.str(&key)? else { return Ok(None) };
        let of_task = || KINDS.iter().filter(|kind| kind.task == task);
        match of_task().find(|kind| kind.variant == variant) {
            Some(kind) => Ok(Some(kind)),
            None => {
                let all: Vec<&str> = of_task().map(|kind| kind.variant).collect();
                bail!(UnsupportedArchitecture, "metadata '{key}' is '{variant}'; supported are {}", all.join(", "))
            }
        }
    }
}
