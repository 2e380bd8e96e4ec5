//! What lies between the two networks of MediaPipe's hand pipeline, on the CPU and without any GPU.
//!
//! ```text
//! picture -> letterbox -> PALM NETWORK -> detection -> suppression -> region -> crop -> LANDMARK NETWORK -> landmarks
//!                                                                        ^                                      |
//!                                                                        +------ the next picture of a video ---+
//! ```
//!
//! Source: github.com/google-ai-edge/mediapipe at 85c0cdc7. Docs name the calculators below `mediapipe/calculators/`;
//! numbers are options of the graphs `mediapipe/modules/{palm_detection, hand_landmark}/*.pbtxt` ("solutions") and
//! `mediapipe/tasks/cc/vision/{hand_detector, hand_landmarker}/*_graph.cc` ("tasks"). `scripts/hands/glue.py` is the same
//! in Python; `tests/hands_glue.rs` compares both step by step.
//!
//! Coordinates are in pixels, x to the right, y down. Pixel (i, j) covers [i, i + 1) x [j, j + 1), so its centre is at
//! i + 0.5. Only [`Hand`] is relative to the picture's size, as MediaPipe's results are.

mod anchors;
mod deduplication;
mod detection;
mod geometry;
mod hand;
mod landmarks;
mod letterbox;
mod options;
mod region;
mod sample;
mod smoothing;
mod suppression;
mod tracking;

pub use anchors::{N_ANCHORS, anchor};
pub use deduplication::is_same_hand;
pub use detection::{N_PALM_POINTS, PALM_VALUES, Palm, decode, decode_row};
pub use geometry::{Affine, Border, Bounds, Crop, Point2, Point3, iou};
pub use hand::{Hand, HandBox, Handedness};
pub use landmarks::{LANDMARK_SIDE, LandmarkOutput, Landmarks, N_LANDMARKS};
pub use letterbox::{Letterbox, PALM_SIDE};
pub use options::{MAX_HANDS, Options};
pub use region::Region;
pub use sample::Picture;
pub use smoothing::{OneEuro, Smoothing};
pub use suppression::{SUPPRESSION_IOU, suppress};
pub use tracking::{Tracker, Work};
