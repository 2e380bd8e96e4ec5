//! From the int8 ONNX export of Kokoro-82M to a GGUF file. Codes keep their bits, less their zero point; what changes is the order of
//! axes, as kernels read them. `scripts/speech/weights.py` is the same in Python.

mod export;

use export::Export;

use super::ARCHITECTURE;
use crate::error::{Result, bail};
use crate::formats::gguf::GgufWriter;
use crate::formats::onnx::Model;

/// A tensor that tells the network by its name.
const KNOWN: &str = "decoder.decoder.generator.stft.istft.stft.inverse_basis";
/// What ONNX Runtime's quantiser calls the nodes that it makes.
const QUANT: &str = "_quant";

/// Whether a file has this network.
#[must_use]
pub fn knows(model: &Model) -> bool {
    model.constants().any(|(name, _)| name == KNOWN)
}

/// The bytes of a GGUF file, from the model and all bytes of its ONNX file.
///
/// # Errors
/// `MalformedOnnx` where a node or a tensor is missing or has another shape; `UnsupportedTensorType` where weights are not quantised to 8
/// bits.
pub fn convert(model: &Model, file: &[u8]) -> Result<Vec<u8>> {
    let mut e = Export::new(model, file);
    text_encoder(&mut e)?;
    bert(&mut e)?;
    duration(&mut e)?;
    e.lstm("prosody.lstm", "/encoder/shared/LSTM_quant")?;
    for (name, torch) in CURVES {
        for i in 0..3 {
            let (node, torch) = (format!("/encoder/{torch}.{i}"), format!("encoder.predictor.{torch}.{i}"));
            block(&mut e, &format!("{name}.block{i}"), &node, &torch, i == 1, i == 1)?;
        }
    }
    curves(&mut e)?;
    decoder(&mut e)?;
    generator(&mut e)?;
    let metadata = GgufWriter::default()
        .string("general.architecture", ARCHITECTURE)
        .string("general.name", "Kokoro-82M")
        .string("general.author", "hexgrad")
        .string("general.license", "Apache-2.0")
        .string("general.source.url", "https://huggingface.co/hexgrad/Kokoro-82M");
    e.finish(metadata)
}

/// The curves of pitch and loudness: ours, and the export's.
const CURVES: [(&str, &str); 2] = [("f0", "F0"), ("noise", "N")];

fn linear(e: &mut Export<'_>, name: &str, node: &str, bias: &str) -> Result<()> {
    let codes = e.codes(node)?;
    e.write_codes(name, &codes);
    e.copy(&format!("{name}.bias"), bias)
}

fn conv(e: &mut Export<'_>, name: &str, node: &str, torch: &str) -> Result<()> {
    linear(e, name, &format!("{node}/Conv{QUANT}"), &format!("{torch}.bias"))
}

fn style(e: &mut Export<'_>, name: &str, node: &str, torch: &str) -> Result<()> {
    linear(e, &format!("{name}.style"), &format!("{node}/fc/Gemm_MatMul{QUANT}"), &format!("{torch}.fc.bias"))
}

fn norm(e: &mut Export<'_>, name: &str, weight: &str, bias: &str) -> Result<()> {
    e.copy(&format!("{name}.weight"), weight)?;
    e.copy(&format!("{name}.bias"), bias)
}

fn table(e: &mut Export<'_>, name: &str, from: &str) -> Result<()> {
    let codes = e.table(from)?;
    e.write_codes(name, &codes);
    Ok(())
}

fn text_encoder(e: &mut Export<'_>) -> Result<()> {
    let torch = "encoder.text_encoder";
    table(e, "text_encoder.embd", &format!("{torch}.embedding.weight"))?;
    for i in 0..3 {
        let node = format!("/encoder/text_encoder/cnn.{i}/cnn.{i}.0");
        conv(e, &format!("text_encoder.conv{i}"), &node, &format!("{torch}.cnn.{i}.0"))?;
        let torch = format!("{torch}.cnn.{i}.1");
        norm(e, &format!("text_encoder.norm{i}"), &format!("{torch}.gamma"), &format!("{torch}.beta"))?;
    }
    e.lstm("text_encoder.lstm", "/encoder/text_encoder/lstm/LSTM_quant")
}

fn bert(e: &mut Export<'_>) -> Result<()> {
    let torch = "encoder.bert.embeddings";
    table(e, "bert.token_embd", &format!("{torch}.word_embeddings.weight"))?;
    table(e, "bert.position_embd", &format!("{torch}.position_embeddings.weight"))?;
    // All tokens are of the first type.
    let types = e.table(&format!("{torch}.token_type_embeddings.weight"))?.floats();
    e.write_floats("bert.type_embd", &[types.len() / 2], &types[..types.len() / 2]);
    let layer_norm = |e: &mut Export<'_>, name: &str, torch: &str| {
        norm(e, name, &format!("{torch}.weight"), &format!("{torch}.bias"))
    };
    layer_norm(e, "bert.embd_norm", &format!("{torch}.LayerNorm"))?;
    let (node, torch) = ("/encoder/bert/encoder", "encoder.bert.encoder");
    let matmul = |e: &mut Export<'_>, name: &str, node: &str, torch: &str| {
        linear(e, name, &format!("{node}/MatMul{QUANT}"), &format!("{torch}.bias"))
    };
    let mapping = "embedding_hidden_mapping_in";
    matmul(e, "bert.embd_project", &format!("{node}/{mapping}"), &format!("{torch}.{mapping}"))?;

    // All layers have the same weights.
    let layer = "albert_layer_groups.0/albert_layers.0";
    let (node, torch) = (format!("{node}/{layer}"), format!("{torch}.{}", layer.replace('/', ".")));
    let part = |name: &str| format!("{node}/attention/{name}/MatMul{QUANT}");
    let qkv = e.codes(&part("query"))?.join(e.codes(&part("key"))?)?.join(e.codes(&part("value"))?)?;
    e.write_codes("bert.attn_qkv", &qkv);
    let mut bias = Vec::new();
    for part in ["query", "key", "value"] {
        bias.extend(e.floats(&format!("{torch}.attention.{part}.bias"))?);
    }
    e.write_floats("bert.attn_qkv.bias", &[bias.len()], &bias);
    matmul(e, "bert.attn_output", &format!("{node}/attention/dense"), &format!("{torch}.attention.dense"))?;
    layer_norm(e, "bert.attn_norm", &format!("{torch}.attention.LayerNorm"))?;
    matmul(e, "bert.ffn_up", &format!("{node}/ffn"), &format!("{torch}.ffn"))?;
    matmul(e, "bert.ffn_down", &format!("{node}/ffn_output"), &format!("{torch}.ffn_output"))?;
    layer_norm(e, "bert.ffn_norm", &format!("{torch}.full_layer_layer_norm"))?;
    matmul(e, "bert.output", "/encoder/bert_encoder", "encoder.bert_encoder")
}

fn duration(e: &mut Export<'_>) -> Result<()> {
    let (node, torch) = ("/encoder/predictor", "encoder.predictor");
    for i in 0..3 {
        e.lstm(&format!("duration.lstm{i}"), &format!("{node}/text_encoder/lstms.{}/LSTM{QUANT}", 2 * i))?;
        let norm = format!("lstms.{}", 2 * i + 1);
        let (node, torch) = (format!("{node}/text_encoder/{norm}"), format!("{torch}.text_encoder.{norm}"));
        style(e, &format!("duration.norm{i}"), &node, &torch)?;
    }
    e.lstm("duration.lstm3", &format!("{node}/lstm/LSTM{QUANT}"))?;
    let node = format!("{node}/duration_proj/linear_layer/MatMul{QUANT}");
    linear(e, "duration.project", &node, &format!("{torch}.duration_proj.linear_layer.bias"))
}

fn block(e: &mut Export<'_>, name: &str, node: &str, torch: &str, shortcut: bool, pool: bool) -> Result<()> {
    for i in [1, 2] {
        style(e, &format!("{name}.norm{i}"), &format!("{node}/norm{i}"), &format!("{torch}.norm{i}"))?;
        conv(e, &format!("{name}.conv{i}"), &format!("{node}/conv{i}"), &format!("{torch}.conv{i}"))?;
    }
    if shortcut {
        let codes = e.codes(&format!("{node}/conv1x1/Conv{QUANT}"))?;
        e.write_codes(&format!("{name}.shortcut"), &codes);
    }
    if pool {
        // (C, 1, 3) as (3, C)
        let (_, w) = e.input_floats(&format!("{node}/pool/ConvTranspose"), 1)?;
        let taps: Vec<f32> = (0..3).flat_map(|tap| w.iter().copied().skip(tap).step_by(3)).collect();
        e.write_floats(&format!("{name}.pool.weight"), &[3, w.len() / 3], &taps);
        e.copy(&format!("{name}.pool.bias"), &format!("{torch}.pool.bias"))?;
    }
    Ok(())
}

/// Both curves as one: projections from the predictor, and convolutions to the decoder's rate.
fn curves(e: &mut Export<'_>) -> Result<()> {
    let [f0, noise] = CURVES.map(|(_, torch)| torch);
    let project = |torch: &str| format!("/encoder/{torch}_proj/Conv{QUANT}");
    let codes = e.codes(&project(f0))?.join(e.codes(&project(noise))?)?;
    e.write_codes("curves.project", &codes);
    let [mut weights, mut biases, mut projected] = [const { Vec::new() }; 3];
    for (_, torch) in CURVES {
        projected.extend(e.floats(&format!("encoder.predictor.{torch}_proj.bias"))?);
        weights.extend(e.codes(&format!("/decoder/decoder/{torch}_conv/Conv{QUANT}"))?.floats());
        biases.extend(e.floats(&format!("decoder.decoder.{torch}_conv.bias"))?);
    }
    e.write_floats("curves.project.bias", &[projected.len()], &projected);
    e.write_floats("curves.conv.weight", &[weights.len()], &weights);
    e.write_floats("curves.conv.bias", &[biases.len()], &biases);
    Ok(())
}

fn decoder(e: &mut Export<'_>) -> Result<()> {
    let (node, torch) = ("/decoder/decoder", "decoder.decoder");
    conv(e, "decoder.text_conv", &format!("{node}/asr_res/asr_res.0"), &format!("{torch}.asr_res.0"))?;
    block(e, "decoder.encode", &format!("{node}/encode"), &format!("{torch}.encode"), true, false)?;
    for i in 0..4 {
        let (node, torch) = (format!("{node}/decode.{i}"), format!("{torch}.decode.{i}"));
        block(e, &format!("decoder.decode{i}"), &node, &torch, true, i == 3)?;
    }
    Ok(())
}

fn snake_block(e: &mut Export<'_>, name: &str, node: &str, torch: &str) -> Result<()> {
    for (i, j) in (0..3).flat_map(|j| [(1, j), (2, j)]) {
        let (adain, convs) = (format!("adain{i}.{j}"), format!("convs{i}.{j}"));
        style(e, &format!("{name}.norm{i}.{j}"), &format!("{node}/{adain}"), &format!("{torch}.{adain}"))?;
        e.copy(&format!("{name}.alpha{i}.{j}"), &format!("{torch}.alpha{i}.{j}"))?;
        conv(e, &format!("{name}.conv{i}.{j}"), &format!("{node}/{convs}"), &format!("{torch}.{convs}"))?;
    }
    Ok(())
}

fn generator(e: &mut Export<'_>) -> Result<()> {
    let (node, torch) = ("/decoder/decoder/generator", "decoder.decoder.generator");
    let (_, weights) = e.input_floats(&format!("{node}/m_source/l_linear/MatMul"), 1)?;
    e.write_floats("generator.source.weight", &[weights.len()], &weights);
    e.copy("generator.source.bias", &format!("{torch}.m_source.l_linear.bias"))?;
    for (i, stride) in [10, 6].into_iter().enumerate() {
        let part = |part: &str| (format!("{node}/{part}.{i}"), format!("{torch}.{part}.{i}"));
        let (conv_node, conv_torch) = part("noise_convs");
        conv(e, &format!("generator.noise_conv{i}"), &conv_node, &conv_torch)?;
        let (block_node, block_torch) = part("noise_res");
        snake_block(e, &format!("generator.noise_block{i}"), &block_node, &block_torch)?;
        e.transposed(&format!("generator.up{i}"), &format!("{node}/ups.{i}/ConvTranspose"), stride)?;
        e.copy(&format!("generator.up{i}.bias"), &format!("{torch}.ups.{i}.bias"))?;
    }
    for i in 0..6 {
        let (node, torch) = (format!("{node}/resblocks.{i}"), format!("{torch}.resblocks.{i}"));
        snake_block(e, &format!("generator.block{i}"), &node, &torch)?;
    }
    e.conv_of_floats("generator.post", &format!("{node}/conv_post/Conv"))?;
    e.copy("generator.post.bias", &format!("{torch}.conv_post.bias"))?;
    let (_, window) = e.input_floats(&format!("{node}/STFT"), 2)?;
    e.write_floats("generator.stft.window", &[window.len()], &window);
    let basis = e.floats(KNOWN)?;
    if basis.len() != 22 * 20 {
        bail!(MalformedOnnx, "'{KNOWN}' has {} elements, {} are needed", basis.len(), 22 * 20);
    }
    e.write_floats("generator.istft.basis", &[22, 20], &basis);
    e.copy("generator.istft.window_sum", &format!("{torch}.stft.istft.stft.window_sum"))
}
