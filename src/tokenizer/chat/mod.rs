//! Chat templates: from messages to the text a model was trained on.
//!
//! A template is a Jinja program that comes with the model and is written for how Hugging Face transformers sets up
//! Jinja2 (`apply_chat_template` in `utils/chat_template_utils.py`).

mod parts;
mod template;

pub use crate::jinja::{CivilTime, Prompt, Str, Value, parse_json};
pub(super) use parts::as_text;
pub use template::{ChatTemplate, ChatTemplates, Variables};
