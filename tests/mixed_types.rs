//! Files whose tensors differ in type where kernels would have them the same: gate and up, q and k.

mod common;

use std::path::Path;

use common::{assert_close, model_file};
use webgguf::formats::gguf::{Parsed, dequantize, parse};
use webgguf::gpu::Gpu;
use webgguf::llm::{LoadOptions, Session};
use webgguf::source::MemorySource;

/// The file with some tensors as F32: their values behind the others', type and offset in the header rewritten.
fn with_f32(path: &Path, chosen: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let mut file = std::fs::read(path).unwrap();
    let Ok(Parsed::Done { gguf, .. }) = parse(file.clone(), Some(file.len() as u64)) else { panic!("no header") };
    for t in gguf.tensors.iter().filter(|t| chosen(&t.name)) {
        let blocks = &file[t.file_range.start as usize..t.file_range.end as usize];
        let values = dequantize(t.ty, blocks).unwrap();
        // name, n_dims, dims, type, offset
        let name = [&(t.name.len() as u64).to_le_bytes()[..], t.name.as_bytes()].concat();
        let at = file.windows(name.len()).position(|w| w == name).unwrap() + name.len() + 4 + 8 * t.shape.len();
        assert_eq!(file[at..at + 4], t.ty.id().to_le_bytes());
        let start = (file.len() as u64 - gguf.data_offset).next_multiple_of(32);
        file.resize((gguf.data_offset + start) as usize, 0);
        file[at..at + 4].copy_from_slice(&0u32.to_le_bytes());
        file[at + 4..at + 12].copy_from_slice(&start.to_le_bytes());
        file.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
    file
}

/// The logits after a prompt and two decode steps.
fn logits(file: Vec<u8>) -> Vec<f32> {
    pollster::block_on(async {
        let gpu = Gpu::new().await.unwrap();
        let options = LoadOptions { context_length: Some(64), ..LoadOptions::default() };
        let session = Session::load_on(gpu, &MemorySource(file), &options, &()).await.unwrap();
        let steps = session.capture(&[41, 84, 259, 76, 264], 2).await.unwrap();
        steps.iter().flat_map(|s| s.iter().find(|a| a.name == "result_output").unwrap().data.clone()).collect()
    })
}

#[test]
fn tensors_of_different_types_run_as_those_of_one() {
    for (model, tensor) in [
        ("llama-untied", "ffn_up.weight"),
        ("gemma", "ffn_gate.weight"),
        ("qwen2", "attn_k.weight"),
        ("qwen3moe", "ffn_down_exps.weight"),
        ("lfm2", "shortconv.in_proj.weight"),
        ("lfm2moe", "ffn_down_exps.weight"),
        ("qwen35", "attn_k.weight"),
        ("qwen35", "ssm_beta.weight"),
        ("qwen35moe", "ffn_up_shexp.weight"),
    ] {
        let path = model_file(model);
        let want: Vec<f64> = logits(std::fs::read(&path).unwrap()).into_iter().map(Into::into).collect();
        let got = logits(with_f32(&path, &|name| name.ends_with(tensor)));
        let error = assert_close(&got, &want, 1e-5, &format!("{model} with {tensor} in F32"));
        println!("{model} with {tensor} in F32: relative L2 {error:.1e} from the file as it is");
    }
}
