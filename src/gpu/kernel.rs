//! Kernels: which there are, and pipelines made of them. Tables come from `shaders/kernels.toml`.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::rc::Rc;

use super::Gpu;
use super::catalogue::KernelDecl;
use super::raw;
use super::wgsl::{Choice, Interface, assemble};
use crate::error::{Error, Result, bail};
use crate::floats;

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// The feature of kernels whose invocations work together in subgroups. They have an override `SUBGROUP`.
const SUBGROUPS: &str = "SUBGROUPS";

fn file(name: &str) -> Option<&'static str> {
    FILES.binary_search_by_key(&name, |f| f.0).ok().map(|i| FILES[i].1)
}

/// A kernel to be run: a name, a value for each of its slots, and values for its overrides.
#[derive(Debug, Clone)]
pub struct Kernel {
    pub name: &'static str,
    pub slots: Vec<(&'static str, &'static str)>,
    pub overrides: Vec<(&'static str, f64)>,
}

impl Kernel {
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Kernel { name, slots: Vec::new(), overrides: Vec::new() }
    }

    #[must_use]
    pub fn slot(mut self, slot: &'static str, value: &'static str) -> Self {
        self.slots.push((slot, value));
        self
    }

    /// Set an override, which the variant has to declare.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Into<f64>) -> Self {
        self.overrides.push((name, value.into()));
        self
    }
}

/// What a kernel's pipeline is found by. A load asks a thousand times for a few dozen, so nothing is formatted.
#[derive(PartialEq)]
pub(super) struct Key {
    name: &'static str,
    slots: Vec<(&'static str, &'static str)>,
    /// The values' bits.
    overrides: Vec<(&'static str, u64)>,
}

impl Key {
    fn of(kernel: &Kernel) -> Self {
        let overrides = kernel.overrides.iter().map(|&(name, value)| (name, value.to_bits())).collect();
        Key { name: kernel.name, slots: kernel.slots.clone(), overrides }
    }
}

/// A kernel for this device: what it asks of its caller, and, once compiled, the kernel itself.
pub struct Pipeline {
    raw: OnceCell<raw::Pipeline>,
    pub(super) layout: raw::Layout,
    pub(super) interface: Interface,
    label: String,
    module: raw::Module,
    constants: Vec<(&'static str, f64)>,
}

impl Pipeline {
    /// The compiled kernel; compiles it now where that has not happened yet.
    pub(super) fn raw(&self, device: &raw::Device) -> &raw::Pipeline {
        self.raw.get_or_init(|| device.pipeline(&self.label, &self.layout, &self.module, &self.constants))
    }
}

impl Gpu {
    /// The kernel's pipeline, not compiled yet: [`Gpu::compile`] does that for many at a time.
    ///
    /// # Errors
    /// `Internal` where there is no such variant, or an override is missing or not declared: a defect in the caller.
    pub fn pipeline(&self, kernel: &Kernel) -> Result<Rc<Pipeline>> {
        let key = Key::of(kernel);
        if let Some((_, pipeline)) = self.pipelines.borrow().iter().find(|p| p.0 == key) {
            return Ok(pipeline.clone());
        }
        let Some((_, decl)) = KERNELS.iter().find(|k| k.0 == kernel.name) else {
            bail!(Internal, "there is no kernel '{}'", kernel.name);
        };
        let features: &[&str] = if self.caps.subgroup_min > 0 { decl.features } else { &[] };
        let variant = variant_name(kernel.name, &kernel.slots, features);
        if !decl.has(&kernel.slots) {
            bail!(Internal, "kernel '{variant}' is not among the variants of shaders/kernels.toml");
        }
        let mut label = variant.clone();
        for (name, value) in &kernel.overrides {
            write!(label, " {name}={}", floats::text(*value)).expect("write to a string");
        }
        let source = match source(kernel.name, &kernel.slots, features, cfg!(target_arch = "wasm32")) {
            Ok(source) => source,
            Err(e) => bail!(Internal, "kernel '{variant}': {e}"),
        };
        let mut constants = kernel.overrides.clone();
        if features.contains(&SUBGROUPS) {
            constants.push(("SUBGROUP", self.caps.subgroup_min.into()));
        }
        let interface = Interface::of(&source);
        if let Some(name) = interface.overrides.iter().find(|name| !constants.iter().any(|(n, _)| n == name)) {
            bail!(Internal, "kernel '{variant}' is used without its override '{name}'");
        }
        if let Some((name, _)) = constants.iter().find(|(name, _)| !interface.overrides.iter().any(|n| n == name)) {
            bail!(Internal, "kernel '{variant}' has no override '{name}'");
        }
        let mut modules = self.modules.borrow_mut();
        let module = match modules.iter().find(|m| m.0 == variant) {
            Some((_, module)) => module.clone(),
            None => {
                let module = self.device.module(&variant, &source);
                modules.push((variant.clone(), module.clone()));
                module
            }
        };
        let slots: Vec<_> = interface.bindings.iter().map(|b| (b.index, b.access)).collect();
        let layout = self.device.layout(&variant, &slots);
        let pipeline = Rc::new(Pipeline { raw: OnceCell::new(), layout, label, module, constants, interface });
        self.pipelines.borrow_mut().push((key, pipeline.clone()));
        Ok(pipeline)
    }

    /// Compile all pipelines there are so far. Browsers do it beside everything else, several at a time. `hear` gets how
    /// many are done, of how many.
    ///
    /// # Errors
    /// `Internal` where a kernel does not compile: a defect here or in the driver. As [`Gpu::check`].
    pub async fn compile(&self, hear: impl Fn(u64, u64)) -> Result<()> {
        let waiting: Vec<Rc<Pipeline>> =
            self.pipelines.borrow().iter().map(|p| &p.1).filter(|p| p.raw.get().is_none()).cloned().collect();
        let start = |p: &Rc<Pipeline>| self.device.start_pipeline(&p.label, &p.layout, &p.module, &p.constants);
        let started: Vec<_> = waiting.iter().map(start).collect();
        for (i, (pipeline, compiled)) in waiting.iter().zip(started).enumerate() {
            hear(i as u64, waiting.len() as u64);
            match compiled.await {
                Ok(raw) => drop(pipeline.raw.set(raw)),
                Err(e) => {
                    let e = format!("kernel '{}' does not compile: {e}", pipeline.label);
                    return Err(self.explain(Error::Internal(e)).await);
                }
            }
        }
        hear(waiting.len() as u64, waiting.len() as u64);
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

/// A variant's WGSL. Browsers' compilers want extensions enabled by name; naga knows them without, and refuses the
/// line.
fn source(kernel: &str, slots: &[(&str, &str)], features: &[&str], for_browser: bool) -> Result<String, String> {
    let enable = if for_browser && features.contains(&SUBGROUPS) { "enable subgroups;\n" } else { "" };
    Ok(enable.to_owned() + &assemble(&file, kernel, Choice { slots, features })?)
}

/// Every variant of every kernel, named, with its WGSL as written for a browser: what a test compiles.
///
/// # Errors
/// A message, where a variant does not assemble.
pub fn all_variants() -> Result<Vec<(String, String)>, String> {
    let variants = KERNELS.iter().flat_map(|(kernel, decl)| decl.variants().into_iter().map(move |v| (kernel, v)));
    variants
        .map(|(kernel, (slots, features))| {
            Ok((variant_name(kernel, &slots, features), source(kernel, &slots, features, true)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kernel: &Kernel, with: &str) {
        let gpu = pollster::block_on(Gpu::new()).unwrap();
        let error = gpu.pipeline(kernel).err().expect("an error");
        assert_eq!(error.code(), "INTERNAL");
        assert!(error.to_string().contains(with), "{error}");
    }

    #[test]
    fn a_kernel_is_given_what_it_declares_and_no_more() {
        let gpu = pollster::block_on(Gpu::new()).unwrap();
        let kernel = Kernel::new("matmul/apply_input").slot("INPUT", "plain").slot("WRITE", "add");
        let scaled = kernel.clone().set("WG", 64).set("K16", 1).set("RESIDUAL_SCALE", 0.5);
        assert!(gpu.pipeline(&scaled).is_ok());
        refused(&kernel.clone().set("WG", 64).set("K16", 1), "without its override 'RESIDUAL_SCALE'");
        refused(&scaled.set("EPS", 1e-6), "has no override 'EPS'");
    }

    #[test]
    fn a_repeat_is_written_out_or_a_loop() {
        let file = |_: &str| Some("#repeat C 3\nx[${C}] = ${V};\n#endrepeat\nend");
        let text = |repeat| assemble(&file, "f", Choice { slots: &[("V", "7"), ("REPEAT", repeat)], features: &[] });
        assert_eq!(text("written_out").unwrap(), "x[0u] = 7;\nx[1u] = 7;\nx[2u] = 7;\nend\n");
        assert_eq!(text("loop").unwrap(), "for (var C = 0u; C < 3u; C++) {\nx[C] = 7;\n}\nend\n");
        for (wrong, with) in
            [("#repeat C 3", "without #endrepeat"), ("#endrepeat", "without #repeat"), ("#repeat C", "TIMES")]
        {
            let error = assemble(&|_| Some(wrong), "f", Choice { slots: &[], features: &[] }).unwrap_err();
            assert!(error.contains(with), "{error}");
        }
    }

    #[test]
    fn a_kernel_is_one_of_the_variants_that_are_listed() {
        refused(&Kernel::new("norm"), "there is no kernel 'norm'");
        let gated = |rows| {
            let kernel = Kernel::new("matmul/vec").slot("WEIGHT", "f32").slot("SOURCE", "plain");
            kernel.slot("OUTPUT", "swiglu").slot("ROWS", rows)
        };
        refused(&gated("1"), "'matmul/vec.f32.plain.swiglu.1");
        refused(&gated("2"), "without its override");
        refused(&Kernel::new("matmul/glu").set("STRIDE", 16), "'matmul/glu' is not among the variants");
    }
}
