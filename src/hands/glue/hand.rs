//! What the pipeline finds.

use super::{Bounds, Landmarks, Letterbox, N_LANDMARKS, Point3};

/// Which hand it is, in a picture that is not mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Handedness {
    Left,
    Right,
}

/// A hand in a picture. Fields have MediaPipe's names where they mean the same.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hand {
    /// x and z divided by the picture's width, y by its height: (0, 0) is its upper left corner, (1, 1) its lower right
    /// one. A landmark may lie outside. z is 0 near the wrist; what is negative is nearer to the camera.
    pub landmarks: [Point3; N_LANDMARKS],
    /// In metres, the origin in the middle of the hand, turned as in the picture.
    pub world_landmarks: [Point3; N_LANDMARKS],
    pub handedness: Handedness,
    /// Of the handedness, in [0.5, 1].
    pub handedness_score: f64,
    /// That there is a hand, in [0, 1].
    pub score: f64,
    /// Around the landmarks.
    #[serde(rename = "box")]
    pub bounds: HandBox,
}

/// An upright box, divided by the picture's width and height: MediaPipe's RelativeBoundingBox.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct HandBox {
    pub xmin: f64,
    pub ymin: f64,
    pub width: f64,
    pub height: f64,
}

impl Hand {
    /// Of a hand in pixels of a picture.
    #[must_use]
    pub fn new(hand: &Landmarks, letterbox: &Letterbox) -> Self {
        let [width, height] = letterbox.picture();
        let landmarks = hand.landmarks.map(|Point3 { x, y, z }| Point3 { x: x / width, y: y / height, z: z / width });
        let bounds = Bounds::around(landmarks.map(Point3::xy));
        let (handedness, handedness_score) = hand.handedness();
        Hand {
            landmarks,
            world_landmarks: hand.world,
            handedness,
            handedness_score,
            score: hand.presence,
            bounds: HandBox { xmin: bounds.xmin, ymin: bounds.ymin, width: bounds.width(), height: bounds.height() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_is_relative_to_its_picture() {
        let mut landmarks = [Point3 { x: 320.0, y: 120.0, z: 64.0 }; N_LANDMARKS];
        landmarks[8] = Point3 { x: 160.0, y: 240.0, z: -64.0 };
        let found = Landmarks { landmarks, world: [Point3::default(); N_LANDMARKS], presence: 0.875, right: 0.75 };
        let hand = Hand::new(&found, &Letterbox::new(640, 480).unwrap());
        let json = serde_json::to_value(&hand).unwrap();
        assert_eq!(json["landmarks"][8], serde_json::json!({ "x": 0.25, "y": 0.5, "z": -0.1 }));
        assert_eq!(json["worldLandmarks"].as_array().unwrap().len(), 21);
        assert_eq!(json["box"], serde_json::json!({ "xmin": 0.25, "ymin": 0.25, "width": 0.25, "height": 0.25 }));
        let scores = [&json["handedness"], &json["handednessScore"], &json["score"]];
        assert_eq!(scores, [&serde_json::json!("Right"), &serde_json::json!(0.75), &serde_json::json!(0.875)]);
    }
}
