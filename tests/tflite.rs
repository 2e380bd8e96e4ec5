//! MediaPipe's networks for hands and faces, read from their files. The numbers are those of LiteRT 2.3.0 for Python on
//! the same files: names, shapes and values by `Interpreter.get_tensor_details` and `get_tensor`, operators by
//! `_get_ops_details` (without the default delegates), options by the package's `schema_py_generated`. The peaks are
//! sums over that module's lists of operators and tensors, of each tensor's bytes from its first use to its last.

mod common;

use std::collections::BTreeMap;

use half::f16;
use webgguf::formats::tflite::{
    Activation, Conv2d, Inspection, Model, OperatorKind, Padding, Peak, Pool2d, Quantization, Subgraph, Tensor,
    TensorType, models,
};

/// The bytes of a file and its model; `None` after a SKIP.
fn read(name: &str) -> Option<(Vec<u8>, Model)> {
    let bytes = std::fs::read(common::shared(&format!("vision/{name}.tflite"))?).unwrap();
    let model = Model::parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    Some((bytes, model))
}

struct Expected {
    file: &'static str,
    network: &'static str,
    tensors: usize,
    operators: &'static [(&'static str, usize)],
    inputs: &'static [(&'static str, &'static [u64])],
    outputs: &'static [(&'static str, &'static [u64])],
    /// Elements of all constants of type FLOAT16.
    parameters: u64,
    peak: Peak,
    /// A constant of four dimensions: its name, shape and first four bit patterns, and the sum of its values.
    weight: (&'static str, &'static [u64], [u16; 4], f64),
}

const EXPECTED: [Expected; 6] = [
    Expected {
        file: "palm_detection_lite",
        network: "MediaPipe palm detection, LITE",
        tensors: 353,
        operators: &[
            ("ADD", 25),
            ("CONCATENATION", 2),
            ("CONV_2D", 30),
            ("DEPTHWISE_CONV_2D", 23),
            ("DEQUANTIZE", 113),
            ("MAX_POOL_2D", 4),
            ("PAD", 3),
            ("PRELU", 26),
            ("RESHAPE", 4),
            ("RESIZE_BILINEAR", 2),
        ],
        inputs: &[("input_1", &[1, 192, 192, 3])],
        outputs: &[("Identity", &[1, 2016, 18]), ("Identity_1", &[1, 2016, 1])],
        parameters: 960_088,
        peak: Peak { bytes: 3_538_944, operator: 10 },
        weight: (
            "model_1/model/conv2d/Conv2D",
            &[32, 5, 5, 3],
            [0xb48a, 0x2967, 0x27ea, 0xba1a],
            -11.978_016_257_286_072,
        ),
    },
    Expected {
        file: "palm_detection_full",
        network: "MediaPipe palm detection, FULL",
        tensors: 413,
        operators: &[
            ("ADD", 30),
            ("CONCATENATION", 2),
            ("CONV_2D", 35),
            ("DEPTHWISE_CONV_2D", 28),
            ("DEQUANTIZE", 133),
            ("MAX_POOL_2D", 4),
            ("PAD", 3),
            ("PRELU", 31),
            ("RESHAPE", 4),
            ("RESIZE_BILINEAR", 2),
        ],
        inputs: &[("input_1", &[1, 192, 192, 3])],
        outputs: &[("Identity", &[1, 2016, 18]), ("Identity_1", &[1, 2016, 1])],
        parameters: 1_132_536,
        peak: Peak { bytes: 3_538_944, operator: 10 },
        weight: (
            "model_1/model/regressor_palm_8_NO_PRUNING/Conv2D",
            &[36, 1, 1, 128],
            [0x1f27, 0xa8f6, 0x981d, 0x25d9],
            4.711_289_763_450_623,
        ),
    },
    Expected {
        file: "hand_landmark_lite",
        network: "MediaPipe hand landmarks, LITE",
        tensors: 271,
        operators: &[
            ("ADD", 10),
            ("CONV_2D", 31),
            ("DEPTHWISE_CONV_2D", 16),
            ("DEQUANTIZE", 102),
            ("FULLY_CONNECTED", 4),
            ("LOGISTIC", 2),
            ("MAX_POOL_2D", 1),
            ("MEAN", 1),
        ],
        inputs: &[("input_1", &[1, 224, 224, 3])],
        outputs: &[("Identity", &[1, 63]), ("Identity_1", &[1, 1]), ("Identity_2", &[1, 1]), ("Identity_3", &[1, 63])],
        parameters: 1_011_712,
        peak: Peak { bytes: 4_214_784, operator: 12 },
        weight: (
            "model_1/model/conv2d/Conv2D",
            &[24, 3, 3, 3],
            [0x49fc, 0x48f8, 0x48f4, 0x4579],
            2.978_223_443_031_311,
        ),
    },
    Expected {
        file: "hand_landmark_full",
        network: "MediaPipe hand landmarks, FULL",
        tensors: 269,
        operators: &[
            ("ADD", 9),
            ("CONV_2D", 31),
            ("DEPTHWISE_CONV_2D", 16),
            ("DEQUANTIZE", 102),
            ("FULLY_CONNECTED", 4),
            ("LOGISTIC", 2),
            ("MEAN", 1),
        ],
        inputs: &[("input_1", &[1, 224, 224, 3])],
        outputs: &[("Identity", &[1, 63]), ("Identity_1", &[1, 1]), ("Identity_2", &[1, 1]), ("Identity_3", &[1, 63])],
        parameters: 2_715_680,
        peak: Peak { bytes: 4_014_080, operator: 11 },
        weight: (
            "model_1/model/batch_normalization_46/FusedBatchNormV3;model_1/model/depthwise_conv2d_15/depthwise",
            &[1, 3, 3, 1152],
            [0x488d, 0x0000, 0x3868, 0x2842],
            4_703.932_879_567_146,
        ),
    },
    Expected {
        file: "hand_landmark",
        network: "MediaPipe hand landmarks, 2020",
        tensors: 575,
        operators: &[
            ("ADD", 46),
            ("CONV_2D", 48),
            ("DEPTHWISE_CONV_2D", 43),
            ("DEQUANTIZE", 182),
            ("LOGISTIC", 2),
            ("MAX_POOL_2D", 9),
            ("PAD", 4),
            ("RELU", 45),
            ("RESHAPE", 3),
            ("RESIZE_BILINEAR", 3),
        ],
        inputs: &[("input_1", &[1, 256, 256, 3])],
        outputs: &[("ld_21_3d", &[1, 63]), ("output_handflag", &[1, 1]), ("output_handedness", &[1, 1])],
        parameters: 2_013_857,
        peak: Peak { bytes: 4_718_592, operator: 9 },
        weight: ("convld_21_3d/Kernel", &[63, 2, 2, 288], [0xaa2b, 0xa1ff, 0xb039, 0xacce], 1_021.432_148_516_178_1),
    },
    Expected {
        file: "face_detection_short_range",
        network: "MediaPipe face detection, short range",
        tensors: 250,
        operators: &[
            ("ADD", 16),
            ("CONCATENATION", 2),
            ("CONV_2D", 21),
            ("DEPTHWISE_CONV_2D", 16),
            ("DEQUANTIZE", 74),
            ("MAX_POOL_2D", 3),
            ("PAD", 11),
            ("RELU", 17),
            ("RESHAPE", 4),
        ],
        inputs: &[("input", &[1, 128, 128, 3])],
        outputs: &[("regressors", &[1, 896, 16]), ("classificators", &[1, 896, 1])],
        parameters: 101_390,
        peak: Peak { bytes: 1_376_256, operator: 19 },
        weight: ("conv2d/Kernel", &[24, 5, 5, 3], [0x29e7, 0x284c, 0x1153, 0x27dc], -3.608_857_393_264_770_5),
    },
];

fn ports<'a>(of: &'a Subgraph, indices: &[usize]) -> Vec<(&'a str, &'a [u64])> {
    let tensors = indices.iter().map(|&i| &of.tensors[i]);
    tensors.map(|t| (t.name.as_str(), t.shape.as_slice())).collect()
}

fn halves<'a>(bytes: &'a [u8], tensor: &Tensor) -> impl Iterator<Item = f16> + 'a {
    assert_eq!(tensor.ty, TensorType::Float16, "{}", tensor.name);
    let range = tensor.file_range.clone().expect("a constant");
    bytes[range.start as usize..range.end as usize].chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]))
}

#[test]
fn networks_are_as_the_runtime_reads_them() {
    for e in &EXPECTED {
        let Some((bytes, model)) = read(e.file) else { continue };
        let network = model.network();
        assert_eq!(model.known_network(), Some(e.network));
        assert_eq!((model.subgraphs.len(), network.tensors.len()), (1, e.tensors), "{}", e.file);
        let mut operators: BTreeMap<String, usize> = BTreeMap::new();
        network.operators.iter().for_each(|o| *operators.entry(o.name()).or_default() += 1);
        let operators: Vec<_> = operators.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(operators, e.operators, "{}", e.file);
        assert!(network.operators.iter().all(|o| o.kind != OperatorKind::Other), "{}", e.file);
        assert_eq!(ports(network, &network.inputs), e.inputs, "{}", e.file);
        assert_eq!(ports(network, &network.outputs), e.outputs, "{}", e.file);
        assert_eq!(network.peak(), e.peak, "{}", e.file);
        let (name, shape, first, sum) = e.weight;
        // The runtime gives the half its own name, or the name with which it was stored.
        let weight = network.tensors.iter().find(|t| t.name == name && t.ty == TensorType::Float16).expect(name);
        assert_eq!(weight.shape, shape, "{name}");
        assert_eq!(halves(&bytes, weight).take(4).map(f16::to_bits).collect::<Vec<_>>(), first, "{name}");
        let found: f64 = halves(&bytes, weight).map(f16::to_f64).sum();
        assert!((found - sum).abs() < 1e-6, "{name}: {found}, {sum}");
        let [named] = &models(&bytes).unwrap()[..] else { panic!("one model") };
        let inspection = Inspection::new(named);
        assert_eq!((inspection.parameters, inspection.weight_bytes), (e.parameters, 2 * e.parameters), "{}", e.file);
        println!("{}: {} tensors, {} operators", e.network, e.tensors, network.operators.len());
    }
}

/// Written by LiteRT's own schema (`scripts/fixtures/tiny_tflite.py`), which printed these numbers.
#[test]
fn a_file_of_another_writer_is_read() {
    let bytes = std::fs::read(common::repository().join("tests/fixtures/tflite/tiny.tflite")).unwrap();
    let model = Model::parse(&bytes).expect("a sound file");
    let network = model.network();
    let names: Vec<String> = network.operators.iter().map(|o| o.name()).collect();
    assert_eq!(names, ["DEQUANTIZE", "CONV_2D", "RESHAPE", "CONCATENATION"]);
    assert_eq!(ports(network, &network.inputs), [("image", &[1, 5, 5, 2][..])]);
    assert_eq!(ports(network, &network.outputs), [("both", &[9, 6][..])]);
    let half = network.require("kernel/half").unwrap();
    let first: Vec<u16> = halves(&bytes, half).take(4).map(f16::to_bits).collect();
    assert_eq!((half.shape.as_slice(), first), (&[3, 3, 3, 2][..], vec![0x3006, 0xb03a, 0x3920, 0x2eb7]));
    let quantization = Quantization { scale: vec![0.5, 0.25], zero_point: vec![3, -4], axis: 1 };
    assert_eq!(network.require("rows/codes").unwrap().quantization, Some(quantization));
    let activation = Activation::Relu;
    let conv = Conv2d { padding: Padding::Same, stride: [2, 2], dilation: [1, 1], activation };
    assert_eq!(kind(&model, "CONV_2D"), &OperatorKind::Conv2d(conv));
    assert_eq!(model.signatures.len(), 1);
    assert_eq!((model.signatures[0].key.as_str(), model.signatures[0].subgraph), ("serving_default", 0));
    assert_eq!(model.signatures[0].inputs, [("pixels".to_owned(), network.inputs[0])]);
    // The image, and the convolution's result while it is made: 50 and 27 floats; then 27 and 54.
    assert_eq!(network.peak(), Peak { bytes: 4 * (27 + 54), operator: 3 });
}

/// The first operator of that name.
fn kind<'a>(model: &'a Model, name: &str) -> &'a OperatorKind {
    &model.network().operators.iter().find(|o| o.name() == name).expect(name).kind
}

#[test]
fn options_are_as_the_schema_reads_them() {
    let same = |stride, activation| Conv2d { padding: Padding::Same, stride, dilation: [1, 1], activation };
    if let Some((_, palm)) = read("palm_detection_lite") {
        assert_eq!(kind(&palm, "CONV_2D"), &OperatorKind::Conv2d(same([2, 2], Activation::None)));
        let pool = Pool2d { padding: Padding::Same, stride: [2, 2], filter: [2, 2], activation: Activation::None };
        assert_eq!(kind(&palm, "MAX_POOL_2D"), &OperatorKind::MaxPool2d(pool));
        let resize = OperatorKind::ResizeBilinear { align_corners: false, half_pixel_centers: true };
        assert_eq!(kind(&palm, "RESIZE_BILINEAR"), &resize);
        let concatenation = OperatorKind::Concatenation { axis: 1, activation: Activation::None };
        assert_eq!(kind(&palm, "CONCATENATION"), &concatenation);
        // Written without options: the shape is an input.
        assert_eq!(kind(&palm, "RESHAPE"), &OperatorKind::Reshape { new_shape: vec![] });
    }
    if let Some((_, hand)) = read("hand_landmark_lite") {
        assert_eq!(kind(&hand, "CONV_2D"), &OperatorKind::Conv2d(same([2, 2], Activation::Relu6)));
        let depthwise = OperatorKind::DepthwiseConv2d { conv: same([1, 1], Activation::Relu6), depth_multiplier: 1 };
        assert_eq!(kind(&hand, "DEPTHWISE_CONV_2D"), &depthwise);
        let pool = Pool2d { padding: Padding::Valid, stride: [2, 2], filter: [2, 2], activation: Activation::None };
        assert_eq!(kind(&hand, "MAX_POOL_2D"), &OperatorKind::MaxPool2d(pool));
    }
}
