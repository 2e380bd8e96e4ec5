//! Kernels: which there are, and pipelines made of them. Tables come from `shaders/kernels.toml`.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::rc::Rc;

use super::Gpu;
use super::wgsl::{Access, Choice, Interface, assemble};
use crate::error::{Result, bail};

struct KernelDecl {
    name: &'static str,
    axes: &'static [&'static str],
    features: &'static [&'static str],
    except: &'static [&'static [&'static str]],
}

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

fn file(name: &str) -> Option<&'static str> {
    FILES.binary_search_by_key(&name, |f| f.0).ok().map(|i| FILES[i].1)
}

/// A kernel to be run: a name, a value for each of its slots, and values for its overrides.
#[derive(Debug, Clone)]
pub struct Kernel {
    pub name: &'static str,
    pub slots: Vec<(&'static str, &'static str)>,
    pub overrides: Vec<(&'static str, f64)>,
    /// Those of them that the variant has to declare.
    must: Vec<&'static str>,
}

impl Kernel {
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Kernel { name, slots: Vec::new(), overrides: Vec::new(), must: Vec::new() }
    }

    #[must_use]
    pub fn slot(mut self, slot: &'static str, value: &'static str) -> Self {
        self.slots.push((slot, value));
        self
    }

    /// Set an override. One that this variant does not declare is left out: the kernels of an op share what is set.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.overrides.push((name, value.into()));
        self
    }

    /// Set an override that the result depends on: a variant that does not declare it can't be used.
    #[must_use]
    pub fn must_set(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.must.push(name);
        self.set(name, value)
    }
}

/// A kernel for this device: what it asks of its caller, and, once compiled, the kernel itself.
pub struct Pipeline {
    raw: OnceCell<wgpu::ComputePipeline>,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) interface: Interface,
    label: String,
    module: wgpu::ShaderModule,
    pipeline_layout: wgpu::PipelineLayout,
    constants: Vec<(&'static str, f64)>,
}

impl Pipeline {
    /// The compiled kernel; compiles it now where that has not happened yet.
    pub(super) fn raw(&self, device: &wgpu::Device) -> &wgpu::ComputePipeline {
        self.raw.get_or_init(|| self.create(device))
    }

    fn create(&self, device: &wgpu::Device) -> wgpu::ComputePipeline {
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&self.label),
            layout: Some(&self.pipeline_layout),
            module: &self.module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &self.constants,
                // No kernel reads workgroup memory that it has not written.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}

impl Gpu {
    /// The kernel's pipeline, not compiled yet: [`Gpu::compile`] does that for many at a time.
    ///
    /// # Errors
    /// `Internal` where there is no such kernel, or an override is missing or not known: a defect in the caller.
    pub fn pipeline(&self, kernel: &Kernel) -> Result<Rc<Pipeline>> {
        let Some(decl) = KERNELS.iter().find(|k| k.name == kernel.name) else {
            bail!(Internal, "there is no kernel '{}'", kernel.name);
        };
        let features: &[&str] = if self.caps.subgroup_min > 0 { decl.features } else { &[] };
        let variant = variant_name(kernel.name, &kernel.slots, features);
        if let Some(axis) = decl.axes.iter().find(|axis| !kernel.slots.iter().any(|(slot, _)| slot == *axis)) {
            bail!(Internal, "kernel '{variant}' has no value for slot '{axis}'");
        }
        let mut key = variant.clone();
        for (name, value) in &kernel.overrides {
            write!(key, " {name}={value}").expect("write to a string");
        }
        if let Some(pipeline) = self.pipelines.borrow().get(&key) {
            return Ok(pipeline.clone());
        }
        let source = match source(kernel.name, &kernel.slots, features) {
            Ok(source) => source,
            Err(e) => bail!(Internal, "kernel '{variant}': {e}"),
        };
        let interface = Interface::of(&source);
        if let Some(name) =
            interface.required_overrides.iter().find(|name| !kernel.overrides.iter().any(|(n, _)| n == name))
        {
            bail!(Internal, "kernel '{variant}' is used without its override '{name}'");
        }
        let declared =
            |name: &str| interface.required_overrides.iter().chain(&interface.optional_overrides).any(|n| n == name);
        if let Some(name) = kernel.must.iter().find(|name| !declared(name)) {
            bail!(Internal, "kernel '{variant}' has no override '{name}', which its result is to depend on");
        }
        let constants = kernel.overrides.iter().copied().filter(|(name, _)| declared(name)).collect();
        let mut modules = self.modules.borrow_mut();
        let module = modules.entry(variant.clone()).or_insert_with(|| {
            self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(&variant),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            })
        });
        let entries: Vec<wgpu::BindGroupLayoutEntry> = interface
            .bindings
            .iter()
            .map(|b| wgpu::BindGroupLayoutEntry {
                binding: b.index,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: match b.access {
                        Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
                        Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                        Access::Uniform => wgpu::BufferBindingType::Uniform,
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(&variant), entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&variant),
            bind_group_layouts: &[Some(&layout)],
            ..Default::default()
        });
        let pipeline = Rc::new(Pipeline {
            raw: OnceCell::new(),
            layout,
            label: key.clone(),
            module: module.clone(),
            pipeline_layout,
            constants,
            interface,
        });
        self.pipelines.borrow_mut().insert(key, pipeline.clone());
        Ok(pipeline)
    }

    /// Compile all pipelines there are so far. Browsers do it beside everything else, several at a time.
    ///
    /// # Errors
    /// `Internal` where a kernel does not compile: a defect here or in the driver. As [`Gpu::check`].
    pub async fn compile(&self) -> Result<()> {
        let waiting: Vec<Rc<Pipeline>> =
            self.pipelines.borrow().values().filter(|p| p.raw.get().is_none()).cloned().collect();
        #[cfg(target_arch = "wasm32")]
        {
            let started: Vec<_> =
                waiting.iter().map(|p| super::web::start_compiling(|| drop(p.create(&self.device)))).collect();
            for (pipeline, compiled) in waiting.iter().zip(started) {
                let Some(compiled) = compiled else { continue };
                match super::web::compiled(compiled, || pipeline.create(&self.device)).await {
                    Ok(raw) => drop(pipeline.raw.set(raw)),
                    Err(e) => {
                        let e = format!("kernel '{}' does not compile: {e}", pipeline.label);
                        return Err(self.explain(crate::error::Error::Internal(e)).await);
                    }
                }
            }
        }
        for pipeline in waiting {
            pipeline.raw(&self.device);
        }
        self.check().await
    }
}

fn variant_name(kernel: &str, slots: &[(&str, &str)], features: &[&str]) -> String {
    let mut name = kernel.to_owned();
    for value in slots.iter().map(|(_, value)| value).chain(features) {
        name.push('.');
        name.push_str(value);
    }
    name
}

/// The WGSL that the device is given. The browser's compiler wants extensions enabled by name; naga knows
/// them without, and refuses the line.
fn source(kernel: &str, slots: &[(&str, &str)], features: &[&str]) -> Result<String, String> {
    let mut out = String::new();
    if cfg!(target_arch = "wasm32") && features.contains(&"SUBGROUPS") {
        out.push_str("enable subgroups;\n");
    }
    out.push_str(&assemble(&file, kernel, Choice { slots, features })?);
    Ok(out)
}

/// Every variant of every kernel, named, with its WGSL as written for a browser: what a test compiles.
///
/// # Errors
/// A message, where a variant does not assemble.
pub fn all_variants() -> Result<Vec<(String, String)>, String> {
    let mut variants = Vec::new();
    for decl in KERNELS {
        let mut choices: Vec<Vec<(&str, &str)>> = vec![Vec::new()];
        for axis in decl.axes {
            let values = AXES.iter().find(|a| a.0 == *axis).map_or(&[][..], |a| a.1);
            choices = choices
                .iter()
                .flat_map(|c| {
                    values.iter().map(|v| {
                        let mut c = c.clone();
                        c.push((axis, v));
                        c
                    })
                })
                .collect();
        }
        choices.retain(|c| !decl.except.iter().any(|set| set.iter().all(|v| c.iter().any(|(_, value)| value == v))));
        for slots in &choices {
            for features in [&[], decl.features] {
                let name = variant_name(decl.name, slots, features);
                if variants.iter().any(|(n, _)| *n == name) {
                    continue;
                }
                let enable = if features.contains(&"SUBGROUPS") { "enable subgroups;\n" } else { "" };
                variants.push((name, enable.to_owned() + &assemble(&file, decl.name, Choice { slots, features })?));
            }
        }
    }
    Ok(variants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_that_the_result_depends_on_is_not_dropped() {
        let gpu = pollster::block_on(Gpu::new()).unwrap();
        let kernel = Kernel::new("apply_input").slot("INPUT", "plain").slot("WRITE", "store").set("K16", 1);
        assert!(gpu.pipeline(&kernel.clone().set("EPS", 1e-5)).is_ok(), "left out");
        assert!(gpu.pipeline(&kernel.clone().must_set("RESIDUAL_SCALE", 0.5)).is_ok(), "declared");
        let error = gpu.pipeline(&kernel.must_set("EPS", 1e-6)).err().expect("an error");
        assert!(error.to_string().contains("has no override 'EPS'"), "{error}");
    }
}
