//! WGSL sources into kernels: `#import`, `#ifdef`/`#ifndef`/`#else`/`#endif`, `#repeat`/`#endrepeat` and `${SLOT}`, a line
//! each.
//! The build script includes this file too: what it validates is what runs.

/// One choice on each axis of a kernel, and the features on.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// Axis and value: `("WEIGHT", "q8_0")`.
    pub slots: &'a [(&'a str, &'a str)],
    pub features: &'a [&'a str],
}

/// The WGSL of `kernel` for this choice. `file` gives a source by its name without `.wgsl`.
///
/// # Errors
/// A message that names the file, where an import or a slot is missing or an `#if` is not closed.
pub fn assemble<'f>(
    file: &dyn Fn(&str) -> Option<&'f str>,
    kernel: &str,
    choice: Choice<'_>,
) -> Result<String, String> {
    let mut out = String::new();
    append(file, kernel, choice, &mut Vec::new(), &mut out)?;
    Ok(out)
}

fn defined(name: &str, choice: Choice<'_>) -> bool {
    choice.features.contains(&name)
        || choice.slots.iter().any(|(slot, value)| {
            name.strip_prefix(slot).and_then(|rest| rest.strip_prefix('_')).is_some_and(|rest| rest == *value)
        })
}

fn append<'f>(
    file: &dyn Fn(&str) -> Option<&'f str>,
    name: &str,
    choice: Choice<'_>,
    imported: &mut Vec<String>,
    out: &mut String,
) -> Result<(), String> {
    if imported.iter().any(|file| file == name) {
        return Ok(());
    }
    imported.push(name.to_owned());
    let source = file(name).ok_or_else(|| format!("shader file '{name}' does not exist"))?;
    // For each open #if, whether its lines count.
    let mut open: Vec<bool> = Vec::new();
    let mut repeat: Option<Repeat> = None;
    for line in source.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("#ifdef") => open.push(defined(words.next().unwrap_or_default(), choice)),
            Some("#ifndef") => open.push(!defined(words.next().unwrap_or_default(), choice)),
            Some("#else") => {
                let last = open.last_mut().ok_or_else(|| format!("{name}: #else without #ifdef"))?;
                *last = !*last;
            }
            Some("#endif") => {
                open.pop().ok_or_else(|| format!("{name}: #endif without #ifdef"))?;
            }
            _ if open.contains(&false) => {}
            Some("#repeat") => repeat = Some(Repeat::begin(words, name)?),
            Some("#endrepeat") => {
                let repeat = repeat.take().ok_or_else(|| format!("{name}: #endrepeat without #repeat"))?;
                repeat.end(name, choice, out)?;
            }
            _ if repeat.is_some() => repeat.iter_mut().for_each(|r| r.lines.push(line)),
            Some("#import") => {
                let target = fill(words.next().unwrap_or_default(), name, choice)?;
                append(file, &target, choice, imported, out)?;
            }
            _ => {
                out.push_str(&fill(line, name, choice)?);
                out.push('\n');
            }
        }
    }
    match (open.is_empty(), repeat) {
        (true, None) => Ok(()),
        (false, _) => Err(format!("{name}: #ifdef without #endif")),
        (_, Some(_)) => Err(format!("{name}: #repeat without #endrepeat")),
    }
}

/// `#repeat C 16`: the lines up to `#endrepeat` for each `${C}` from 0 to 15. They are written out, unless slot `REPEAT` is
/// `loop`: long kernels take compilers long.
struct Repeat<'f> {
    variable: &'f str,
    n: u32,
    lines: Vec<&'f str>,
}

impl<'f> Repeat<'f> {
    fn begin(mut words: impl Iterator<Item = &'f str>, name: &str) -> Result<Self, String> {
        let variable = words.next().unwrap_or_default();
        let n = words.next().and_then(|n| n.parse().ok()).ok_or_else(|| format!("{name}: #repeat NAME TIMES"))?;
        Ok(Repeat { variable, n, lines: Vec::new() })
    }

    fn end(self, name: &str, choice: Choice<'_>, out: &mut String) -> Result<(), String> {
        let (variable, n) = (self.variable, self.n);
        if !defined("REPEAT_loop", choice) {
            return (0..n).try_for_each(|i| self.body(&format!("{i}u"), name, choice, out));
        }
        out.push_str(&format!("for (var {variable} = 0u; {variable} < {n}u; {variable}++) {{\n"));
        self.body(variable, name, choice, out)?;
        out.push_str("}\n");
        Ok(())
    }

    fn body(&self, value: &str, name: &str, choice: Choice<'_>, out: &mut String) -> Result<(), String> {
        let slots = [choice.slots, &[(self.variable, value)]].concat();
        for line in &self.lines {
            out.push_str(&fill(line, name, Choice { slots: &slots, ..choice })?);
            out.push('\n');
        }
        Ok(())
    }
}

/// `line` with every `${SLOT}` replaced by its value.
fn fill(line: &str, name: &str, choice: Choice<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("${") {
        let (slot, tail) = after.split_once('}').ok_or_else(|| format!("{name}: '${{' without '}}'"))?;
        let value = choice.slots.iter().find(|(s, _)| *s == slot);
        let (_, value) = value.ok_or_else(|| format!("{name}: no value for slot '{slot}'"))?;
        out.push_str(before);
        out.push_str(value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// How a kernel uses a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    ReadWrite,
    Uniform,
}

/// A binding as its WGSL declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingDecl {
    pub index: u32,
    pub name: String,
    pub access: Access,
}

/// What a kernel's WGSL asks of its caller. The declarations stand on a line each, by house style; the build
/// script checks against naga that this reading of them is right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interface {
    pub bindings: Vec<BindingDecl>,
    /// Overrides to set: those that are no expression of others.
    pub overrides: Vec<String>,
}

impl Interface {
    #[must_use]
    pub fn of(wgsl: &str) -> Self {
        let mut interface = Interface::default();
        for line in wgsl.lines() {
            if let Some(rest) = line.strip_prefix("@group(0) @binding(") {
                let (index, rest) = rest.split_once(')').unwrap_or_default();
                let (space, rest) = rest.split_once("var<").and_then(|(_, r)| r.split_once('>')).unwrap_or_default();
                let name = rest.split(':').next().unwrap_or_default().trim();
                let access = match space {
                    "uniform" => Access::Uniform,
                    "storage, read" => Access::Read,
                    _ => Access::ReadWrite,
                };
                let index = index.parse().unwrap_or(u32::MAX);
                interface.bindings.push(BindingDecl { index, name: name.to_owned(), access });
            } else if let Some(rest) = line.strip_prefix("override ").filter(|rest| !rest.contains('=')) {
                interface.overrides.push(rest.split(':').next().unwrap_or_default().to_owned());
            }
        }
        interface
    }
}

/// A source without its comments, indentation and empty lines: what the wasm carries.
#[must_use]
#[allow(dead_code, reason = "used by the build script, which shares this file")]
pub fn strip(source: &str) -> String {
    let mut out = String::new();
    for line in source.lines() {
        let code = line.split("//").next().unwrap_or_default().trim();
        if !code.is_empty() {
            out.push_str(code);
            out.push('\n');
        }
    }
    out
}
