//! Shaders at build time: every variant of every kernel that is built is assembled, validated and reflected by naga, which
//! never enters the wasm. Writes to OUT_DIR:
//! - `kernels.rs`: the stripped sources and the kernels of `shaders/kernels.toml`
//! - `exports/OP.rs`: the structs and constants that an op takes over from its shaders, laid out as naga says

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/gpu/catalogue.rs"]
mod catalogue;
#[path = "src/gpu/wgsl.rs"]
mod wgsl;

use catalogue::{KernelDecl, Slots};
use wgsl::{Access, Choice, Interface};

/// `shaders/kernels.toml`, which explains itself.
#[derive(serde::Deserialize)]
struct Catalogue {
    /// Of each family of models.
    kernels: BTreeMap<String, BTreeMap<String, Vec<Table>>>,
    lists: BTreeMap<String, Vec<String>>,
    features: BTreeMap<String, Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
}

/// The kernels that a build for one model is left with: the file that WEBGGUF_KERNELS names, as `npm run package` writes it.
#[derive(serde::Deserialize)]
struct Selection {
    /// Values of the slot WEIGHT.
    weights: Vec<String>,
    /// Folders of `shaders/`.
    without: Vec<String>,
}

impl Selection {
    /// The selection that this build is given.
    fn given() -> Option<Selection> {
        println!("cargo::rerun-if-env-changed=WEBGGUF_KERNELS");
        let path = env::var("WEBGGUF_KERNELS").ok()?;
        println!("cargo::rerun-if-changed={path}");
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        Some(toml::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}")))
    }

    fn has_kernel(&self, kernel: &str) -> bool {
        !self.without.iter().any(|folder| kernel.split('/').next() == Some(folder))
    }

    fn has_value(&self, slot: &str, value: &str) -> bool {
        slot != "WEIGHT" || self.weights.iter().any(|weight| weight == value)
    }
}

/// Values by slot.
type Table = BTreeMap<String, Vec<String>>;

/// Kernels by name.
type Decls = BTreeMap<&'static str, KernelDecl<'static>>;

impl Catalogue {
    /// The kernels of these families, as far as they are selected.
    fn decls(&'static self, families: &[&str], selection: Option<&Selection>) -> Decls {
        let mut tables: BTreeMap<&str, Vec<&Table>> = BTreeMap::new();
        for (kernel, more) in families.iter().flat_map(|&family| &self.kernels[family]) {
            if selection.is_none_or(|s| s.has_kernel(kernel)) {
                tables.entry(kernel).or_default().extend(more);
            }
        }
        tables.into_iter().map(|(kernel, tables)| (kernel, self.decl(kernel, &tables, selection))).collect()
    }

    fn decl(
        &'static self,
        kernel: &str,
        tables: &[&'static Table],
        selection: Option<&Selection>,
    ) -> KernelDecl<'static> {
        let slot = |(slot, values): (&'static String, &'static Vec<String>)| {
            let selected = |value: &&str| selection.is_none_or(|s| s.has_value(slot, value));
            (slot.as_str(), leak(self.values(values).iter().copied().filter(selected)))
        };
        let tables = tables.iter().map(|table| leak(table.iter().map(slot)));
        let features = self.features.iter().filter(|(_, kernels)| kernels.iter().any(|k| k == kernel));
        KernelDecl { tables: leak(tables), features: leak(features.map(|(feature, _)| feature.as_str())) }
    }

    /// The values, with each list's in place of its name.
    fn values(&'static self, names: &'static [String]) -> &'static [&'static str] {
        let value = |name: &'static String| match self.lists.get(name) {
            Some(list) => self.values(list),
            None => leak([name.as_str()]),
        };
        leak(names.iter().flat_map(value).copied())
    }
}

fn leak<T>(items: impl IntoIterator<Item = T>) -> &'static [T] {
    Vec::from_iter(items).leak()
}

/// What the variants have in common, as far as they have been checked.
#[derive(Default)]
struct Seen {
    /// The files of the families that are built.
    built_files: BTreeSet<String>,
    /// The numbers of bindings by their names.
    bindings: BTreeMap<String, u32>,
    /// The declarations that Rust takes over, in Rust.
    exports: BTreeMap<&'static str, Option<String>>,
}

fn main() {
    for path in ["shaders", "src/gpu/catalogue.rs", "src/gpu/wgsl.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let files = read_shaders(Path::new("shaders"));
    let catalogue = fs::read_to_string("shaders/kernels.toml").expect("shaders/kernels.toml");
    // The build script ends before leaks count.
    let catalogue: &'static Catalogue = Box::leak(Box::new(toml::from_str(&catalogue).expect("valid TOML")));
    let exports = catalogue.exports.values().flatten().map(|name| (name.as_str(), None)).collect();
    let mut seen = Seen { exports, ..Seen::default() };
    let families: Vec<&str> = catalogue.kernels.keys().map(String::as_str).collect();
    let feature = |family: &str| env::var_os(format!("CARGO_FEATURE_{}", family.to_uppercase())).is_some();
    let is_built = |family: &&str| *family == "base" || feature(family);
    let selection = Selection::given();
    let built: Vec<&str> = families.iter().copied().filter(is_built).collect();
    let built = catalogue.decls(&built, selection.as_ref());
    for (name, decl) in catalogue.decls(&families, None) {
        let built = built.get(name).map(KernelDecl::variants).unwrap_or_default();
        for variant in &built {
            let used = check_variant(&files, name, &variant.0, variant.1, &mut seen);
            seen.built_files.extend(used);
        }
        // Rust takes declarations from kernels of other families, too.
        if built.is_empty() {
            let variant = decl.variants().pop_first().expect("a kernel has a variant");
            check_variant(&files, name, &variant.0, variant.1, &mut seen);
        }
    }
    if families.iter().all(is_built) && selection.is_none() {
        for file in files.keys() {
            assert!(seen.built_files.contains(file), "shaders/{file}.wgsl is in no kernel of shaders/kernels.toml");
        }
    }
    let mut kernels = String::from("static KERNELS: &[(&str, KernelDecl<'static>)] = &[\n");
    for (name, decl) in &built {
        writeln!(kernels, "({name:?}, {}),", format!("{decl:?}").replace('[', "&[")).expect("write");
    }
    let sources = files_source(files.iter().filter(|(file, _)| seen.built_files.contains(*file)));
    let out = PathBuf::from(env::var("OUT_DIR").expect("OUT_DIR"));
    fs::write(out.join("kernels.rs"), sources + &kernels + "];\n").expect("write kernels.rs");
    fs::create_dir_all(out.join("exports")).expect("create exports/");
    for (op, names) in &catalogue.exports {
        let export =
            |name: &String| seen.exports[name.as_str()].clone().unwrap_or_else(|| panic!("no kernel declares {name}"));
        let source: String = names.iter().map(export).collect();
        fs::write(out.join("exports").join(format!("{op}.rs")), source).expect("write exports");
    }
}

/// Sources by name without `.wgsl`, comments stripped.
fn read_shaders(dir: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(d) = dirs.pop() {
        for entry in fs::read_dir(&d).expect("read shaders") {
            let path = entry.expect("read shaders").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "wgsl") {
                let name = path.strip_prefix(dir).expect("inside").with_extension("");
                let name = name.to_str().expect("UTF-8").replace('\\', "/");
                files.insert(name, wgsl::strip(&fs::read_to_string(&path).expect("read shader")));
            }
        }
    }
    files
}

/// Check a variant; returns the files that it is made of.
fn check_variant(
    files: &BTreeMap<String, String>,
    name: &str,
    slots: &Slots<'_>,
    features: &[&str],
    seen: &mut Seen,
) -> BTreeSet<String> {
    let what = format!("{name} {slots:?} {features:?}");
    let used = std::cell::RefCell::new(BTreeSet::new());
    let file = |f: &str| {
        used.borrow_mut().insert(f.to_owned());
        files.get(f).map(String::as_str)
    };
    let source = wgsl::assemble(&file, name, Choice { slots, features }).unwrap_or_else(|e| panic!("{what}: {e}"));

    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{what}:\n{}", e.emit_to_string_with_path(&source, name)));
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all())
        .subgroup_stages(naga::valid::ShaderStages::COMPUTE)
        .subgroup_operations(naga::valid::SubgroupOperationSet::all())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{what}:\n{}", e.emit_to_string_with_path(&source, name)));

    let interface = Interface::of(&source);
    let mut found: Vec<(u32, String, Access)> = module
        .global_variables
        .iter()
        .filter_map(|(_, v)| {
            let access = match v.space {
                naga::AddressSpace::Uniform => Access::Uniform,
                naga::AddressSpace::Storage { access } if access.contains(naga::StorageAccess::STORE) => {
                    Access::ReadWrite
                }
                naga::AddressSpace::Storage { .. } => Access::Read,
                _ => return None,
            };
            Some((v.binding.expect("binding").binding, v.name.clone().expect("name"), access))
        })
        .collect();
    let mut read: Vec<(u32, String, Access)> =
        interface.bindings.iter().map(|b| (b.index, b.name.clone(), b.access)).collect();
    found.sort_by_key(|b| b.0);
    read.sort_by_key(|b| b.0);
    assert_eq!(found, read, "{what}: bindings as naga finds them and as they were read");
    for (index, name, _) in &read {
        let number = *seen.bindings.entry(name.clone()).or_insert(*index);
        assert_eq!(*index, number, "{what}: '{name}' has another number elsewhere");
    }
    for pair in read.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "{what}: '{}' and '{}' share a binding", pair[0].1, pair[1].1);
    }
    let n_storage = read.iter().filter(|b| b.2 != Access::Uniform).count();
    assert!(n_storage <= 8, "{what}: {n_storage} storage buffers, every device allows 8");
    let unset = module.overrides.iter().filter(|(_, o)| o.init.is_none());
    let overrides: BTreeSet<&str> = unset.filter_map(|(_, o)| o.name.as_deref()).collect();
    let read: BTreeSet<&str> = interface.overrides.iter().map(String::as_str).collect();
    assert_eq!(overrides, read, "{what}: overrides as naga finds them and as they were read");
    for (_, o) in module.overrides.iter() {
        let literal = o.init.is_some_and(|e| matches!(module.global_expressions[e], naga::Expression::Literal(_)));
        assert!(!literal, "{what}: the override {:?} has a default, which hides that it was not set", o.name);
    }

    // naga 30 loses count of overrides where an array's size is an expression of them (process_overrides).
    assert!(module.overrides.iter().all(|(_, o)| o.name.is_some()), "{what}: name every expression of overrides");

    for (name, declaration) in declarations(&module) {
        let Some(export) = seen.exports.get_mut(name.as_str()) else { continue };
        let first = export.get_or_insert_with(|| declaration.clone());
        assert_eq!(*first, declaration, "{what}: another kernel declares '{name}' otherwise");
    }
    used.into_inner()
}

/// The structs of 4-byte scalars and the typed constants of a module, by name, in Rust.
fn declarations(module: &naga::Module) -> Vec<(String, String)> {
    let structs = module.types.iter().filter_map(|(_, ty)| {
        let (Some(name), naga::TypeInner::Struct { members, .. }) = (&ty.name, &ty.inner) else { return None };
        let members: Option<String> = members.iter().enumerate().map(|(i, m)| member(module, i, m)).collect();
        Some((name.clone(), format!("{STRUCT_ATTRIBUTES}pub struct {name} {{\n{}}}\n", members?)))
    });
    let constants = module.constants.iter().filter_map(|(_, c)| {
        let (ty, value) = match module.global_expressions[c.init] {
            naga::Expression::Literal(naga::Literal::U32(v)) => ("u32", format!("{v}")),
            naga::Expression::Literal(naga::Literal::F32(v)) => ("f32", format!("{v:?}")),
            _ => return None,
        };
        let name = c.name.clone()?;
        Some((name.clone(), format!("/// As the WGSL declares it.\npub const {name}: {ty} = {value};\n")))
    });
    structs.chain(constants).collect()
}

const STRUCT_ATTRIBUTES: &str = "/// As the WGSL declares it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
";

/// A struct's member in Rust, if it is a 4-byte scalar right after the one before.
fn member(module: &naga::Module, i: usize, m: &naga::StructMember) -> Option<String> {
    let ty = match module.types[m.ty].inner {
        naga::TypeInner::Scalar(naga::Scalar::U32) => "u32",
        naga::TypeInner::Scalar(naga::Scalar::F32) => "f32",
        _ => return None,
    };
    let name = m.name.as_deref()?;
    (m.offset as usize == i * 4).then(|| format!("    pub {name}: {ty},\n"))
}

fn files_source<'a>(files: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let mut out = String::from("static FILES: &[(&str, &str)] = &[\n");
    for (name, source) in files {
        writeln!(out, "({name:?}, {source:?}),").expect("write");
    }
    out + "];\n"
}
