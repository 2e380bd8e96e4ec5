//! Templates of a model file, and rendering them.

use crate::error::{Error, Result, bail};
use crate::formats::gguf::Metadata;
use crate::jinja::{CivilTime, Fault, Str, Template, Value, parse_json};
use crate::tokenizer::{Prompt, Tokenizer};

/// The format that most models without a template of their own were trained on, if they have its tokens
/// (<https://github.com/openai/openai-python/blob/v0.28.1/chatml.md>).
const CHATML: &str = "{% for message in messages %}\
    {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}\
    {% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// What a template is rendered with: `messages`, and whatever else it knows of (`tools`, `documents`,
/// `add_generation_prompt`, `enable_thinking`…). Their text is data: it spells no special tokens.
#[derive(Debug, Clone, Default)]
pub struct Variables(Vec<(String, Value)>);

impl Variables {
    #[must_use]
    pub fn new() -> Variables {
        Variables::default()
    }

    /// The pairs of a JSON object.
    ///
    /// # Errors
    /// `InvalidArgument` where the text is not a JSON object.
    pub fn from_json(object: &str) -> Result<Variables> {
        Variables::from_value(&parse_json(object)?)
    }

    /// The pairs of a dict.
    ///
    /// # Errors
    /// `InvalidArgument` where the value is something else.
    pub fn from_value(object: &Value) -> Result<Variables> {
        let Some(pairs) = object.pairs() else {
            bail!(InvalidArgument, "the variables of a chat template are {}, a JSON object is needed", object.kind());
        };
        let mut variables = Variables::new();
        for (key, value) in pairs {
            variables.set(key.as_str().unwrap_or_default(), value.clone());
        }
        Ok(variables)
    }

    /// Sets a variable, in place of one of that name.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, slot)) => *slot = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Sets a variable to a JSON value.
    ///
    /// # Errors
    /// `InvalidArgument` where the text is not JSON.
    pub fn set_json(&mut self, name: &str, json: &str) -> Result<()> {
        self.set(name, parse_json(json)?);
        Ok(())
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }
}

/// A template, compiled.
#[derive(Debug)]
pub struct ChatTemplate {
    template: Template,
    /// Texts of special tokens, such as `bos_token`.
    tokens: Variables,
}

impl ChatTemplate {
    /// # Errors
    /// `Template` naming the line where the source is not a template.
    pub fn new(source: &str) -> Result<ChatTemplate> {
        let template = Template::new(source).map_err(|fault| template_error(&fault))?;
        Ok(ChatTemplate { template, tokens: Variables::new() })
    }

    /// Gives the template the texts of the tokenizer's special tokens, as `bos_token`, `eos_token` and so on.
    #[must_use]
    pub fn with_tokens(mut self, tokenizer: &Tokenizer) -> ChatTemplate {
        let ids = tokenizer.special_ids();
        for (name, id) in [
            ("bos_token", ids.bos),
            ("eos_token", ids.eos),
            ("unk_token", ids.unknown),
            ("sep_token", ids.separator),
            ("pad_token", ids.padding),
            ("mask_token", ids.mask),
        ] {
            if let Some(id) = id {
                self.tokens.set(name, Str::from(&*String::from_utf8_lossy(tokenizer.token_bytes(id))));
            }
        }
        self
    }

    /// Renders the prompt. To be tokenized without `add_special`: the template writes BOS itself if it wants one.
    ///
    /// # Errors
    /// `Template` naming the line where the template fails, or what it says is wrong with the messages.
    pub fn render(&self, variables: &Variables, now: CivilTime) -> Result<Prompt> {
        let defaults =
            [("tools", Value::None), ("documents", Value::None), ("add_generation_prompt", Value::Bool(false))];
        let defaults = defaults.into_iter().map(|(name, value)| (name.to_owned(), value));
        let given = [&self.tokens, variables].into_iter().flat_map(|variables| variables.0.iter().cloned());
        self.template.render(defaults.chain(given), now).map_err(|fault| template_error(&fault))
    }
}

fn template_error(fault: &Fault) -> Error {
    Error::Template(match fault.line {
        Some(line) => format!("chat template, line {line}: {}", fault.message),
        None => format!("chat template: {}", fault.message),
    })
}

/// The templates of a model file: one by default, and others by name, such as `tool_use`.
#[derive(Debug, Clone)]
pub struct ChatTemplates {
    default: Option<String>,
    named: Vec<(String, String)>,
    warnings: Vec<String>,
    has_chatml: bool,
}

impl ChatTemplates {
    /// # Errors
    /// `MalformedGguf` where a template is not text.
    pub fn from_gguf(metadata: &Metadata, tokenizer: &Tokenizer) -> Result<ChatTemplates> {
        let key = "tokenizer.chat_template";
        let mut warnings = Vec::new();
        // Some files have an empty text there, or the name of a format.
        let mut template = |key: &str| -> Result<Option<String>> {
            let source = metadata.str(key)?.map(str::to_owned);
            Ok(match source {
                Some(source) if source.trim() == "chatml" => {
                    warnings.push(format!("'{key}' is the name 'chatml', not a template: ChatML is used"));
                    Some(CHATML.to_owned())
                }
                Some(source) if source.trim().is_empty() => {
                    warnings.push(format!("'{key}' is empty: it is taken as missing"));
                    None
                }
                source => {
                    if let Some(source) = source.as_ref().filter(|source| !source.contains('{')) {
                        let found: String = source.chars().take(40).collect();
                        warnings.push(format!("'{key}' is '{found}', which shows no message"));
                    }
                    source
                }
            })
        };
        let mut named = Vec::new();
        for (full, _) in metadata.iter() {
            if let Some(name) = full.strip_prefix(key).and_then(|name| name.strip_prefix('.')) {
                named.extend(template(full)?.map(|source| (name.to_owned(), source)));
            }
        }
        let default = template(key)?;
        Ok(ChatTemplates {
            default,
            named,
            warnings,
            has_chatml: ["<|im_start|>", "<|im_end|>"]
                .iter()
                .all(|token| tokenizer.token_id(token.as_bytes()).is_some()),
        })
    }

    /// What is doubtful about the file's templates, for its user to see.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The names of the templates that have one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(|(name, _)| name.as_str())
    }

    /// What a prompt can be made with: the templates' names, `default` for the one without; `chatml` where there is none
    /// and ChatML takes its place.
    #[must_use]
    pub fn usable(&self) -> Vec<&str> {
        let default = self.default.as_ref().map(|_| "default");
        let mut names: Vec<&str> = default.into_iter().chain(self.names()).collect();
        if names.is_empty() && self.has_chatml {
            names.push("chatml");
        }
        names
    }

    /// The source of a template. Without a name, that for tools where there are tools and the file has such, else the
    /// default one, else ChatML where the vocabulary has its tokens.
    ///
    /// # Errors
    /// `Template` where there is none.
    pub fn source(&self, name: Option<&str>, has_tools: bool) -> Result<&str> {
        let find = |wanted: &str| self.named.iter().find(|(name, _)| name == wanted).map(|(_, source)| source.as_str());
        if let Some(name) = name.filter(|&name| name != "default") {
            let Some(source) = find(name) else {
                bail!(Template, "the model has no chat template '{name}', it has: {}", self.usable().join(", "));
            };
            return Ok(source);
        }
        let for_tools = if has_tools { find("tool_use") } else { None };
        match for_tools.or(self.default.as_deref()).or_else(|| find("default")) {
            Some(source) => Ok(source),
            None if self.has_chatml => Ok(CHATML),
            None => bail!(
                Template,
                "the model has no chat template, and its vocabulary lacks the tokens of ChatML: it is a base model, or \
                 the file is incomplete; write the prompt yourself, or give a template"
            ),
        }
    }
}
