//! Networks that are known: MediaPipe's for hands and faces.

use super::{Model, Subgraph, TensorType};

/// What tells a network from all others here. Names of tensors differ between converters; shapes and numbers of
/// operators are the network.
struct Known {
    name: &'static str,
    input: &'static [u64],
    outputs: &'static [&'static [u64]],
    operators: &'static [(&'static str, usize)],
}

const KNOWN: [Known; 6] = [
    Known {
        name: "MediaPipe palm detection, LITE",
        input: &[1, 192, 192, 3],
        outputs: &[&[1, 2016, 18], &[1, 2016, 1]],
        operators: &[("CONV_2D", 30), ("DEPTHWISE_CONV_2D", 23), ("PRELU", 26), ("ADD", 25), ("RESIZE_BILINEAR", 2)],
    },
    Known {
        name: "MediaPipe palm detection, FULL",
        input: &[1, 192, 192, 3],
        outputs: &[&[1, 2016, 18], &[1, 2016, 1]],
        operators: &[("CONV_2D", 35), ("DEPTHWISE_CONV_2D", 28), ("PRELU", 31), ("ADD", 30), ("RESIZE_BILINEAR", 2)],
    },
    Known {
        name: "MediaPipe hand landmarks, LITE",
        input: &[1, 224, 224, 3],
        outputs: &[&[1, 63], &[1, 1], &[1, 1], &[1, 63]],
        operators: &[("CONV_2D", 31), ("DEPTHWISE_CONV_2D", 16), ("MAX_POOL_2D", 1), ("ADD", 10), ("MEAN", 1)],
    },
    Known {
        name: "MediaPipe hand landmarks, FULL",
        input: &[1, 224, 224, 3],
        outputs: &[&[1, 63], &[1, 1], &[1, 1], &[1, 63]],
        operators: &[("CONV_2D", 31), ("DEPTHWISE_CONV_2D", 16), ("MAX_POOL_2D", 0), ("ADD", 9), ("MEAN", 1)],
    },
    Known {
        name: "MediaPipe hand landmarks, 2020",
        input: &[1, 256, 256, 3],
        outputs: &[&[1, 63], &[1, 1], &[1, 1]],
        operators: &[("CONV_2D", 48), ("DEPTHWISE_CONV_2D", 43), ("MAX_POOL_2D", 9), ("ADD", 46), ("RELU", 45)],
    },
    Known {
        name: "MediaPipe face detection, short range",
        input: &[1, 128, 128, 3],
        outputs: &[&[1, 896, 16], &[1, 896, 1]],
        operators: &[("CONV_2D", 21), ("DEPTHWISE_CONV_2D", 16), ("MAX_POOL_2D", 3), ("ADD", 16), ("RELU", 17)],
    },
];

impl Known {
    fn is(&self, network: &Subgraph) -> bool {
        let image = |i: usize| network.tensors[i].ty == TensorType::Float32 && network.tensors[i].shape == self.input;
        let count = |name: &str| network.operators.iter().filter(|o| o.name() == name).count();
        let mut outputs = network.outputs.iter().map(|&i| network.tensors[i].shape.as_slice());
        network.inputs.len() == 1
            && image(network.inputs[0])
            && outputs.by_ref().eq(self.outputs.iter().copied())
            && self.operators.iter().all(|&(name, n)| count(name) == n)
    }
}

impl Model {
    /// The name of a known network, by the shapes of its input and outputs and by how many operators it has of each kind.
    #[must_use]
    pub fn known_network(&self) -> Option<&'static str> {
        KNOWN.iter().find(|known| known.is(self.network())).map(|known| known.name)
    }
}
