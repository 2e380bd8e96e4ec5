//! The reader on small files that are written here.

use super::*;
use writer::*;

#[path = "../../../tests/common/tflite_writer.rs"]
mod writer;

fn parsed(tiny: &Tiny) -> Model {
    Model::parse(&tiny.bytes()).expect("a sound file")
}

fn error(tiny: Tiny) -> (&'static str, String) {
    let error = Model::parse(&tiny.bytes()).expect_err("an error");
    (error.code(), error.to_string())
}

fn f32s_at(bytes: &[u8], tensor: &Tensor) -> Vec<f32> {
    let range = tensor.file_range.clone().expect("a constant");
    let data = &bytes[range.start as usize..range.end as usize];
    data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn a_model_of_two_operators_is_read() {
    let bytes = sound().bytes();
    let model = Model::parse(&bytes).expect("a sound file");
    assert_eq!((model.description.as_str(), model.subgraphs.len()), ("tiny", 1));
    let network = model.network();
    assert_eq!((network.inputs.as_slice(), network.outputs.as_slice()), (&[IMAGE][..], &[FLAT][..]));
    let kernel = network.require("kernel").unwrap();
    assert_eq!((kernel.ty, kernel.shape.as_slice()), (TensorType::Float32, &[3, 3, 3, 2][..]));
    assert_eq!((kernel.n_elems(), kernel.n_bytes()), (54, 216));
    assert_eq!(f32s_at(&bytes, kernel), (0..54).map(|i| i as f32 / 8.0).collect::<Vec<_>>());
    assert_eq!(network.tensor("image").unwrap().file_range, None);
    assert_eq!(network.require("x").unwrap_err().to_string(), "tensor 'x' is missing from the file");
    let [conv, reshape] = &network.operators[..] else { panic!("two operators") };
    assert_eq!((conv.name(), conv.code.version), ("CONV_2D".into(), 2));
    assert_eq!((conv.inputs.as_slice(), conv.outputs.as_slice()), (&[Some(0), Some(1), Some(2)][..], &[CONV][..]));
    let options = Conv2d { padding: Padding::Valid, stride: [1, 1], dilation: [1, 1], activation: Activation::Relu6 };
    assert_eq!(conv.kind, OperatorKind::Conv2d(options));
    assert_eq!((reshape.name(), reshape.code.version), ("RESHAPE".into(), 1));
    assert_eq!(reshape.kind, OperatorKind::Reshape { new_shape: vec![4, 3] });
    let signature = Signature {
        key: "serving_default".into(),
        subgraph: 0,
        inputs: vec![("pixels".into(), IMAGE)],
        outputs: vec![("values".into(), FLAT)],
    };
    assert_eq!(model.signatures, [signature]);
}

/// The number of a builtin operator, its options' kind in the union and their fields.
fn with_operator(number: i32, kind: i8, fields: Vec<(usize, Value)>) -> OperatorKind {
    let tiny = sound().edit(|t| {
        t.codes[0] = table(vec![(3, i32v(number))]);
        t.operators[0].set(3, i8v(kind));
        t.operators[0].set(4, Value::Table(table(fields)));
    });
    parsed(&tiny).network().operators[0].kind.clone()
}

#[test]
fn options_are_read_by_kind() {
    use OperatorKind::*;
    let side = |stride: [i32; 2]| vec![(0, i8v(0)), (1, i32v(stride[1])), (2, i32v(stride[0]))];
    let with = |mut fields: Vec<(usize, Value)>, more: Vec<(usize, Value)>| {
        fields.extend(more);
        fields
    };
    let (padding, activation) = (Padding::Same, Activation::Relu);
    let conv = super::Conv2d { padding, stride: [1, 2], dilation: [3, 4], activation };
    let fields = with(side([1, 2]), vec![(3, i8v(1)), (4, i32v(4)), (5, i32v(3))]);
    assert_eq!(with_operator(3, 1, fields), Conv2d(conv));
    let fields = with(side([1, 2]), vec![(3, i32v(5)), (4, i8v(1)), (5, i32v(4)), (6, i32v(3))]);
    assert_eq!(with_operator(4, 2, fields), DepthwiseConv2d { conv, depth_multiplier: 5 });
    let pool = Pool2d { padding, stride: [1, 2], filter: [3, 4], activation };
    let fields = with(side([1, 2]), vec![(3, i32v(4)), (4, i32v(3)), (5, i8v(1))]);
    assert_eq!(with_operator(17, 5, fields.clone()), MaxPool2d(pool));
    assert_eq!(with_operator(1, 5, fields), AveragePool2d(pool));
    assert_eq!(with_operator(0, 11, vec![(0, i8v(4))]), Add { activation: Activation::Tanh });
    assert_eq!(with_operator(18, 21, vec![(0, i8v(5))]), Mul { activation: Activation::SignBit });
    let concatenation = Concatenation { axis: -1, activation: Activation::ReluN1To1 };
    assert_eq!(with_operator(2, 10, vec![(0, i32v(-1)), (1, i8v(2))]), concatenation);
    let resize = ResizeBilinear { align_corners: false, half_pixel_centers: true };
    assert_eq!(with_operator(23, 15, vec![(3, i8v(1))]), resize);
    let resize = ResizeBilinear { align_corners: true, half_pixel_centers: false };
    assert_eq!(with_operator(23, 15, vec![(2, i8v(1))]), resize);
    let connected = FullyConnected { activation: Activation::None, keep_num_dims: true };
    assert_eq!(with_operator(9, 8, vec![(2, i8v(1))]), connected);
    assert_eq!(with_operator(40, 27, vec![(0, i8v(1))]), Mean { keep_dims: true });
    assert_eq!(with_operator(25, 9, vec![(0, Value::Inline(2f32.to_le_bytes().into()))]), Softmax { beta: 2.0 });
    for (number, kind) in
        [(6, Dequantize), (14, Logistic), (19, Relu), (21, Relu6), (34, Pad), (54, Prelu), (99, Other)]
    {
        assert_eq!(with_operator(number, 0, vec![]), kind);
    }
}

#[test]
fn operators_have_names() {
    let name = |code: Table| parsed(&sound().edit(|t| t.codes[0] = code)).network().operators[0].name();
    assert_eq!(name(table(vec![(0, i8v(32)), (1, text("Convolution2DBias"))])), "Convolution2DBias");
    assert_eq!(name(table(vec![(0, i8v(127)), (3, i32v(150))])), "GELU");
    assert_eq!(name(table(vec![(3, i32v(4000))])), "BUILTIN_4000");
    let nameless = sound().edit(|t| t.codes[0] = table(vec![(0, i8v(32))]));
    assert_eq!(error(nameless).1, "operator code 0 is a custom operator without a name");
}

#[test]
fn an_input_may_be_left_out() {
    let model = parsed(&sound().edit(|t| t.operators[0].set(1, i32s(&[0, 1, -1]))));
    assert_eq!(model.network().operators[0].inputs, [Some(0), Some(1), None]);
}

#[test]
fn quantisation_is_of_the_tensor_or_along_an_axis() {
    let with = |scale: &[f32], zero_point: &[i64], axis: i32| {
        let quantization = table(vec![(2, f32s(scale)), (3, i64s(zero_point)), (6, i32v(axis))]);
        sound().edit(|t| t.tensors[KERNEL].set(4, Value::Table(quantization)))
    };
    let of = |tiny: Tiny| parsed(&tiny).network().tensors[KERNEL].quantization.clone();
    assert_eq!(of(with(&[0.5], &[-3], 0)), Some(Quantization { scale: vec![0.5], zero_point: vec![-3], axis: 0 }));
    let each = Quantization { scale: vec![0.5, 1.0], zero_point: vec![0, 7], axis: 3 };
    assert_eq!(of(with(&[0.5, 1.0], &[0, 7], 3)), Some(each));
    assert_eq!(of(with(&[], &[], 0)), None);
    let place = "the quantisation of tensor 1 of subgraph 0";
    assert_eq!(error(with(&[0.5, 1.0], &[0, 7], 0)).1, format!("{place} has 2 scales, 1 or 3 are allowed"));
    assert_eq!(error(with(&[0.5], &[], 0)).1, format!("{place} has 1 scales and 0 zero points"));
    assert_eq!(error(with(&[0.5], &[0], 4)).1, format!("{place} is along dimension 4, the tensor has 4"));
    assert_eq!(error(with(&[f32::NAN], &[0], 0)).1, format!("{place} has a scale of NaN, finite ones are allowed"));
}

#[test]
fn data_may_lie_behind_the_flatbuffer() {
    let behind = |offset: u64, size: u64| {
        sound().edit(|t| {
            t.tail = [7f32, 8.0, 9.0].iter().flat_map(|v| v.to_le_bytes()).collect();
            t.buffers[2] = table(vec![(1, u64v(offset)), (2, u64v(size))]);
        })
    };
    let at = behind(2, 12).bytes().len() as u64 - 12;
    let bytes = behind(at, 12).bytes();
    let model = Model::parse(&bytes).expect("a sound file");
    assert_eq!(f32s_at(&bytes, &model.network().tensors[BIAS]), [7.0, 8.0, 9.0]);
    let (code, message) = error(behind(at + 1, 12));
    let end = at + 12;
    assert_eq!(code, "MALFORMED_TFLITE");
    assert_eq!(message, format!("buffer 2 has 12 bytes at byte {}, the file ends at {end} (truncated?)", at + 1));
    assert_eq!(error(behind(u64::MAX, 12)).0, "MALFORMED_TFLITE");
    let elsewhere = sound().edit(|t| t.tensors[BIAS].set(10, u32v(1)));
    assert_eq!(error(elsewhere).0, "UNSUPPORTED_ARCHITECTURE");
}

#[test]
fn data_of_a_sparse_tensor_is_smaller_than_its_shape() {
    let short = |t: &mut Tiny| t.buffers[2] = table(vec![(0, bytes(&[0; 4]))]);
    let message = "tensor 2 of subgraph 0 has 4 bytes of data, FLOAT32 of shape [3] takes 12";
    assert_eq!(error(sound().edit(short)).1, message);
    let sparse = sound().edit(short).edit(|t| t.tensors[BIAS].set(6, Value::Table(Table::default())));
    assert!(parsed(&sparse).network().tensors[BIAS].is_sparse);
}

#[test]
fn the_peak_is_at_the_operator_with_the_most_live_tensors() {
    // The image of 128 bytes and the convolution's 48; then 48 and 48.
    assert_eq!(parsed(&sound()).network().peak(), Peak { bytes: 176, operator: 0 });
    // As an output, too, the image stays to the end.
    let kept = sound().edit(|t| t.outputs.push(IMAGE as i32));
    assert_eq!(parsed(&kept).network().peak(), Peak { bytes: 224, operator: 1 });
    // What is computed of constants alone does not count.
    let constant = sound().edit(|t| t.operators[0].set(1, i32s(&[1, 1, 2])));
    assert_eq!(parsed(&constant).network().peak(), Peak { bytes: 128, operator: 0 });
    assert_eq!(parsed(&constant).network().constants(), [false, true, true, true, true, true]);
}

#[test]
fn a_table_that_is_named_very_often_takes_bounded_memory() {
    // A tensor with a name of 100,000 bytes, and a list of 1,000 tensors: each is this one.
    let name = "x".repeat(100_000);
    let tiny = sound().edit(|t| {
        t.tensors.truncate(1);
        t.tensors[0].set(3, text(&name));
        t.tensors.extend(vec![table(vec![]); 999]);
        t.operators.clear();
        t.outputs = vec![0];
        t.signatures.clear();
    });
    let written = tiny.written();
    let mut bytes = written.bytes;
    let first = bytes.windows(4).position(|w| w == 1000u32.to_le_bytes()).expect("the count") + 4;
    let target = first as u32 + u32::from_le_bytes(bytes[first..first + 4].try_into().unwrap());
    for i in 0..1000 {
        let at = first + 4 * i;
        bytes[at..at + 4].copy_from_slice(&(target - at as u32).to_le_bytes());
    }
    let error = Model::parse(&bytes).expect_err("an error");
    assert!(
        error.to_string().starts_with("what the file describes takes more than 33554432 bytes of memory"),
        "{error}"
    );
}

#[test]
fn a_bundle_holds_models_and_bundles() {
    let (model, other) = (sound().bytes(), sound().edit(|t| t.codes[0] = table(vec![(3, i32v(4000))])).bytes());
    assert!(is_tflite(&model) && !is_bundle(&model));
    let inner = zip(&[("notes.txt", b"none".to_vec()), ("b.tflite", other)]).bytes();
    for padding in 0..=4 {
        let bundle = zip(&[("a.tflite", model.clone()), ("folder/", vec![]), ("inner.task", inner.clone())]);
        let bytes = bundle.edit(|z| z.padding = padding).bytes();
        assert!(is_bundle(&bytes) && !is_tflite(&bytes));
        let found = models(&bytes).expect("a sound bundle");
        let names: Vec<_> = found.iter().map(|m| m.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["a.tflite", "inner.task/b.tflite"]);
        assert_eq!(found[1].model.network().operators[0].name(), "BUILTIN_4000");
        for m in &found {
            assert!(is_tflite(&bytes[m.file_range.start as usize..]));
            assert_eq!(f32s_at(&bytes, m.model.network().require("bias").unwrap()), [0.0, 1.0, 2.0]);
        }
    }
    let single = models(&model).expect("a file");
    assert_eq!((single.len(), single[0].name.as_deref()), (1, None));
}

#[test]
fn a_header_may_have_extra_fields_that_the_directory_lacks() {
    let bundle = zip(&[("a.tflite", sound().bytes())]).edit(|z| {
        z.files[0].extra = [vec![0; 7], vec![0; 3]];
        z.comment = b"PK\x05\x06 is no end".to_vec();
        z.comment_bytes = z.comment.len() as u16;
    });
    assert_eq!(models(&bundle.bytes()).expect("a sound bundle").len(), 1);
}

#[test]
fn an_error_in_a_bundle_names_the_file() {
    let broken = sound().edit(|t| t.version = 2).bytes();
    let error = models(&zip(&[("a.tflite", broken)]).bytes()).expect_err("an error");
    assert_eq!(error.to_string(), "'a.tflite': the file is of version 2 of the schema, 3 is supported");
}

#[test]
fn what_is_computed_twice_or_never_is_an_error() {
    let message = |change: fn(&mut Tiny)| error(sound().edit(change)).1;
    assert_eq!(
        message(|t| t.operators.reverse()),
        "operator 0 of subgraph 0 reads tensor 3, which nothing before it computes"
    );
    assert_eq!(
        message(|t| t.operators[1].set(2, i32s(&[CONV as i32]))),
        "operator 1 of subgraph 0 writes tensor 3, which is there before it"
    );
    assert_eq!(message(|t| t.operators.truncate(1)), "tensor 5 is an output of subgraph 0, which no operator computes");
}
