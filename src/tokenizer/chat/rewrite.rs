//! Changes to a template's source before the engine compiles it, for what the engine does not have. Lines stay lines.

/// The method that slices with a step become, as the engine's own panic on an empty list (minijinja 3.0).
pub(super) const SLICE: &str = "__slice__";

/// Gives the source that the engine is to compile.
pub(super) fn rewrite(source: &str) -> String {
    // Jinja2 takes all line ends for `\n`.
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut out = String::with_capacity(source.len());
    let mut rest = source.as_str();
    let mut raw = false;
    while let Some(at) = rest.find('{') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let is_block = tag.starts_with("{%");
        rest = if tag.starts_with("{#") && !raw {
            let end = tag.find("#}").map_or(tag.len(), |at| at + 2);
            out.push_str(&tag[..end]);
            &tag[end..]
        } else if is_block || tag.starts_with("{{") && !raw {
            let (name, name_at) = name_of(tag);
            // Nothing but its end means anything in a raw block.
            raw = is_block && (name == "raw" || raw && name != "endraw");
            match scoped(name).filter(|_| is_block && !raw && ends_after(tag, name_at + name.len())) {
                Some(scope) => {
                    out.push_str(&tag[..name_at]);
                    out.push_str(scope);
                    &tag[name_at + name.len()..]
                }
                None if raw => {
                    out.push_str(&tag[..2]);
                    &tag[2..]
                }
                None => expression(tag, &mut out),
            }
        } else {
            out.push('{');
            &tag[1..]
        };
    }
    out.push_str(rest);
    out
}

/// The word a tag begins with, and where.
fn name_of(tag: &str) -> (&str, usize) {
    let inside = tag[2..].trim_start_matches(['-', '+']).trim_start();
    let len = inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len());
    (&inside[..len], tag.len() - inside.len())
}

fn ends_after(tag: &str, at: usize) -> bool {
    tag[at..].trim_start().trim_start_matches(['-', '+']).starts_with("%}")
}

/// `{% generation %}` marks what the model says, for training. Here it only has to open a scope, as in transformers.
fn scoped(name: &str) -> Option<&'static str> {
    match name {
        "generation" => Some("with"),
        "endgeneration" => Some("endwith"),
        _ => None,
    }
}

/// A bracket that is open, or the tag itself.
struct Level {
    bracket: char,
    at: usize,
    colons: Vec<usize>,
    sum: Sum,
}

impl Level {
    fn new(bracket: char, at: usize) -> Level {
        Level { bracket, at, colons: Vec::new(), sum: Sum::default() }
    }
}

/// Copies a tag to its end and returns what follows it. Slices with a step become calls, sums escape.
fn expression<'t>(tag: &'t str, out: &mut String) -> &'t str {
    out.push_str(&tag[..2]);
    let close = if tag.starts_with("{%") { "%}" } else { "}}" };
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::new('{', 0);
    let mut rest = &tag[2..];
    while let Some(c) = rest.chars().next() {
        let trimmed = rest.trim_start_matches(['-', '+']);
        if outer.is_empty() && trimmed.starts_with(close) {
            level.sum.end(out);
            let len = rest.len() - trimmed.len() + close.len();
            out.push_str(&rest[..len]);
            return &rest[len..];
        }
        let len = token_len(rest, c);
        let token = &rest[..len];
        rest = &rest[len..];
        if matches!(c, ')' | ']' | '}') {
            level.sum.end(out);
        }
        level.sum.see(token, out);
        out.push_str(token);
        let at = out.len() - 1;
        match c {
            '(' | '[' | '{' => outer.push(std::mem::replace(&mut level, Level::new(c, at))),
            ':' => level.colons.push(at),
            ')' | ']' | '}' => {
                if let ('[', ']', &[first, second]) = (level.bracket, c, level.colons.as_slice()) {
                    slice_to_call(out, level.at, first, second);
                }
                level = outer.pop().unwrap_or(Level::new('{', 0));
            }
            _ => {}
        }
        // What ends an operand is no part of one; a bracket that closes is part of what it belongs to.
        if !c.is_whitespace() && !Sum::is_between(token) {
            level.sum.operand_end = Some(out.len());
        }
    }
    rest
}

/// The length of the string literal, word or character that `text` starts with.
fn token_len(text: &str, c: char) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    match c {
        '"' | '\'' => string_len(text),
        c if is_word(c) => text.find(|c| !is_word(c)).unwrap_or(text.len()),
        c => c.len_utf8(),
    }
}

/// The filter that escapes for HTML as the Python package markupsafe does.
pub(super) const ESCAPE: &str = "__escape__";

/// A chain of `+`. In Python, a string that is marked `safe` escapes what is added to it.
#[derive(Default)]
struct Sum {
    /// Where the operands end that are not safe themselves.
    unsafe_ends: Vec<usize>,
    has_safe: bool,
    has_plus: bool,
    after_pipe: bool,
    /// The operand at hand ends with `| safe`, as far as it has been seen, at `operand_end`.
    is_safe: bool,
    operand_end: Option<usize>,
}

impl Sum {
    /// Looks at a token before it is written.
    fn see(&mut self, token: &str, out: &mut String) {
        match token {
            token if token.trim().is_empty() => return,
            "+" => {
                self.end_operand();
                self.has_plus = true;
            }
            "," | ":" | "=" | "!" | "<" | ">" | "-" | "and" | "or" | "not" | "in" | "is" | "if" | "else" => {
                self.end(out)
            }
            token => self.is_safe = self.after_pipe && token == "safe",
        }
        self.after_pipe = token == "|";
    }

    /// Whether the token stands between operands.
    fn is_between(token: &str) -> bool {
        ["+", ",", ":", "=", "!", "<", ">", "-", "and", "or", "not", "in", "is", "if", "else"].contains(&token)
    }

    fn end_operand(&mut self) {
        self.has_safe |= self.is_safe;
        let end = self.operand_end.take();
        self.unsafe_ends.extend(end.filter(|_| !self.is_safe));
        self.is_safe = false;
    }

    /// Ends the chain.
    fn end(&mut self, out: &mut String) {
        self.end_operand();
        if self.has_safe && self.has_plus {
            for &end in self.unsafe_ends.iter().rev() {
                out.insert_str(end, &format!("|{ESCAPE}"));
            }
        }
        *self = Sum::default();
    }
}

/// The length of the string literal that `text` starts with.
fn string_len(text: &str) -> usize {
    let quote = text.as_bytes()[0];
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Turns the `[start:stop:step]` at the end of `out` into `.__slice__(start,stop,step)`.
fn slice_to_call(out: &mut String, bracket: usize, first: usize, second: usize) {
    let part = |text: &str| if text.trim().is_empty() { format!("{text}none") } else { text.to_owned() };
    let (start, stop, step) = (&out[bracket + 1..first], &out[first + 1..second], &out[second + 1..out.len() - 1]);
    let call = format!(".{SLICE}({},{},{})", part(start), part(stop), part(step));
    out.truncate(bracket);
    out.push_str(&call);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn unchanged(source: &str) {
        assert_eq!(rewrite(source), source);
    }

    #[test]
    fn slices_with_a_step_become_calls() {
        assert_eq!(rewrite("{{ a[::-1] }}"), "{{ a.__slice__(none,none,-1) }}");
        assert_eq!(rewrite("{% if x[1:y[0]:2][::3] %}"), "{% if x.__slice__(1,y[0],2).__slice__(none,none,3) %}");
        assert_eq!(
            rewrite("{{ 'é]'[::1] ~ {'a': {'b': l[::2]}} }}"),
            "{{ 'é]'.__slice__(none,none,1) ~ {'a': {'b': l.__slice__(none,none,2)}} }}"
        );
        assert_eq!(rewrite("{% set x = a[::-1] -%}"), "{% set x = a.__slice__(none,none,-1) -%}");
        unchanged("{{ a[1:] }}{{ {'a': 1, 'b': [2]} }}{{ '[::1]' }}[::1]{# a[::1] #}");
    }

    #[test]
    fn what_is_added_to_safe_strings_is_escaped() {
        assert_eq!(
            rewrite("{{- 'a'|safe + b['c'] + 'd'| safe + (e + f) | tojson() -}}"),
            "{{- 'a'|safe + b['c']|__escape__ + 'd'| safe + (e + f) | tojson()|__escape__ -}}"
        );
        assert_eq!(rewrite("{% if a + b | safe == c + d %}"), "{% if a|__escape__ + b | safe == c + d %}");
        assert_eq!(rewrite("{{ f(a, b + c|safe) }}"), "{{ f(a, b|__escape__ + c|safe) }}");
        unchanged("{{ a + b }}{{ a | safe }}{{ 'safe' + safe + a.safe }}{%+ if a +%}{{ (a|safe) ~ b }}");
    }

    #[test]
    fn generation_tags_become_scopes() {
        assert_eq!(rewrite("{%- generation -%}a{% endgeneration %}"), "{%- with -%}a{% endwith %}");
        unchanged("{% set generation = 1 %}{{ generation }}{% generation x %}");
    }

    #[test]
    fn raw_blocks_comments_and_the_unfinished_stay() {
        unchanged("{% raw %}{{ a[::1] }}{% generation %}{# {% endraw %}{{ 1 }}");
        unchanged("{# {{ a[::1] #}{");
        unchanged("{{ 'a");
        unchanged("{% if a[");
        unchanged("{{ a[1:2:3 }}");
        assert_eq!(rewrite("a\r\nb\rc"), "a\nb\nc");
    }
}
