//! Shaders at build time: every variant of every kernel is assembled, validated and reflected by naga, which
//! never enters the wasm. Writes to OUT_DIR:
//! - `kernels.rs`: the stripped sources and the axes of `shaders/kernels.toml`
//! - `shader_decls.rs`: the structs that Rust writes and WGSL reads, laid out as naga says, and constants of both

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[path = "src/gpu/wgsl.rs"]
mod wgsl;

use wgsl::{Access, Choice, Interface};

#[derive(serde::Deserialize)]
struct Catalogue {
    axes: BTreeMap<String, Vec<String>>,
    kernels: BTreeMap<String, Kernel>,
}

#[derive(serde::Deserialize)]
struct Kernel {
    #[serde(default)]
    axes: Vec<String>,
    #[serde(default)]
    features: Vec<String>,
    /// Sets of values that make no kernel together.
    #[serde(default)]
    except: Vec<Vec<String>>,
}

/// The structs of WGSL that Rust fills.
const STRUCTS: [&str; 2] = ["State", "RepackParams"];
/// The constants of WGSL that Rust sizes buffers by.
const CONSTANTS: [&str; 4] = ["MAX_SORTED", "N_BINS", "NO_ID", "N_RECENT"];

/// What Rust takes over from the shaders.
#[derive(Default)]
struct Decls {
    /// Names and types of the members.
    structs: BTreeMap<String, Vec<(String, &'static str)>>,
    constants: BTreeMap<String, u32>,
}

fn main() {
    println!("cargo::rerun-if-changed=shaders");
    println!("cargo::rerun-if-changed=src/gpu/wgsl.rs");
    let files = read_shaders(Path::new("shaders"));
    let catalogue: Catalogue =
        toml::from_str(&fs::read_to_string("shaders/kernels.toml").expect("shaders/kernels.toml")).expect("valid TOML");

    let mut used = BTreeSet::new();
    let mut decls = Decls::default();
    for (name, kernel) in &catalogue.kernels {
        for choice in choices(&catalogue, kernel) {
            check_variant(&files, name, &choice, &mut used, &mut decls);
        }
    }
    for file in files.keys() {
        assert!(used.contains(file), "shaders/{file}.wgsl is in no kernel of shaders/kernels.toml");
    }
    let out = PathBuf::from(env::var("OUT_DIR").expect("OUT_DIR"));
    fs::write(out.join("kernels.rs"), catalogue_source(&files, &catalogue)).expect("write kernels.rs");
    fs::write(out.join("shader_decls.rs"), decls_source(&decls)).expect("write shader_decls.rs");
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

type OwnedChoice = (Vec<(String, String)>, Vec<String>);

fn choices(catalogue: &Catalogue, kernel: &Kernel) -> Vec<OwnedChoice> {
    let mut all: Vec<OwnedChoice> = vec![(Vec::new(), Vec::new())];
    for axis in &kernel.axes {
        let values = catalogue.axes.get(axis).unwrap_or_else(|| panic!("axis {axis} is not declared"));
        all = all
            .into_iter()
            .flat_map(|(slots, features)| {
                values.iter().map(move |v| {
                    let mut slots = slots.clone();
                    slots.push((axis.clone(), v.clone()));
                    (slots, features.clone())
                })
            })
            .collect();
    }
    for feature in &kernel.features {
        let with: Vec<OwnedChoice> = all
            .iter()
            .cloned()
            .map(|(slots, mut features)| {
                features.push(feature.clone());
                (slots, features)
            })
            .collect();
        all.extend(with);
    }
    all.retain(|(slots, _)| {
        !kernel.except.iter().any(|set| set.iter().all(|v| slots.iter().any(|(_, value)| value == v)))
    });
    all
}

fn check_variant(
    files: &BTreeMap<String, String>,
    name: &str,
    (slots, features): &OwnedChoice,
    used: &mut BTreeSet<String>,
    decls: &mut Decls,
) {
    let what = format!("{name} {slots:?} {features:?}");
    let slots: Vec<(&str, &str)> = slots.iter().map(|(a, v)| (a.as_str(), v.as_str())).collect();
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    let seen = std::cell::RefCell::new(Vec::new());
    let file = |f: &str| {
        seen.borrow_mut().push(f.to_owned());
        files.get(f).map(String::as_str)
    };
    let source = wgsl::assemble(&file, name, Choice { slots: &slots, features: &features })
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    used.extend(seen.into_inner());

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
    for pair in read.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "{what}: '{}' and '{}' share a binding", pair[0].1, pair[1].1);
    }
    let n_storage = read.iter().filter(|b| b.2 != Access::Uniform).count();
    assert!(n_storage <= 8, "{what}: {n_storage} storage buffers, every device allows 8");
    let overrides: BTreeSet<&str> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
    let read: BTreeSet<&str> =
        interface.required_overrides.iter().chain(&interface.optional_overrides).map(String::as_str).collect();
    assert_eq!(overrides, read, "{what}: overrides as naga finds them and as they were read");

    // naga 30 loses count of overrides where an array's size is an expression of them (process_overrides).
    assert!(module.overrides.iter().all(|(_, o)| o.name.is_some()), "{what}: name every expression of overrides");

    for (_, ty) in module.types.iter() {
        let (Some(name), naga::TypeInner::Struct { members, .. }) = (&ty.name, &ty.inner) else { continue };
        if STRUCTS.contains(&name.as_str()) {
            let members = members.iter().enumerate().map(|(i, m)| member(&module, i, m)).collect();
            decls.structs.insert(name.clone(), members);
        }
    }
    for (_, c) in module.constants.iter() {
        let init = &module.global_expressions[c.init];
        let (Some(name), naga::Expression::Literal(naga::Literal::U32(value))) = (&c.name, init) else { continue };
        if CONSTANTS.contains(&name.as_str()) {
            decls.constants.insert(name.clone(), *value);
        }
    }
}

/// A struct's member as Rust has it: 4-byte scalars, one after the other.
fn member(module: &naga::Module, i: usize, m: &naga::StructMember) -> (String, &'static str) {
    let name = m.name.clone().expect("named member");
    assert_eq!(m.offset as usize, i * 4, "member {name} is not 4 bytes after the one before");
    let ty = match module.types[m.ty].inner {
        naga::TypeInner::Scalar(naga::Scalar::U32) => "u32",
        naga::TypeInner::Scalar(naga::Scalar::F32) => "f32",
        _ => panic!("member {name} is neither u32 nor f32"),
    };
    (name, ty)
}

fn catalogue_source(files: &BTreeMap<String, String>, catalogue: &Catalogue) -> String {
    let mut out = String::from("static FILES: &[(&str, &str)] = &[\n");
    for (name, source) in files {
        writeln!(out, "({name:?}, {source:?}),").expect("write");
    }
    out += "];\nstatic AXES: &[(&str, &[&str])] = &[\n";
    for (axis, values) in &catalogue.axes {
        writeln!(out, "({axis:?}, &{values:?}),").expect("write");
    }
    out += "];\nstatic KERNELS: &[KernelDecl] = &[\n";
    for (name, k) in &catalogue.kernels {
        let except: Vec<String> = k.except.iter().map(|set| format!("&{set:?}")).collect();
        writeln!(
            out,
            "KernelDecl {{ name: {name:?}, axes: &{:?}, features: &{:?}, except: &[{}] }},",
            k.axes,
            k.features,
            except.join(", ")
        )
        .expect("write");
    }
    out + "];\n"
}

fn decls_source(decls: &Decls) -> String {
    let mut out = String::new();
    for name in STRUCTS {
        let members = decls.structs.get(name).unwrap_or_else(|| panic!("no shader declares struct {name}"));
        writeln!(out, "/// As the WGSL declares it.\n#[repr(C)]\n#[derive(Debug, Clone, Copy, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]\npub struct {name} {{")
            .expect("write");
        for (member, ty) in members {
            writeln!(out, "    pub {member}: {ty},").expect("write");
        }
        out += "}\n";
    }
    for name in CONSTANTS {
        let value = decls.constants.get(name).unwrap_or_else(|| panic!("no shader declares constant {name}"));
        writeln!(out, "/// As the WGSL declares it.\npub const {name}: u32 = {value};").expect("write");
    }
    out
}
