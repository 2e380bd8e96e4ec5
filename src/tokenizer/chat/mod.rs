//! Chat templates: from messages to the text a model was trained on.
//!
//! A template is a Jinja program that comes with the model and is written for how Hugging Face transformers sets up
//! Jinja2 (`apply_chat_template` in `utils/chat_template_utils.py`).

mod format;
mod parts;
mod template;

pub use crate::jinja::{CivilTime, Str, Value, parse_json};
use parts::as_text;
pub use template::{ChatTemplate, ChatTemplates, Variables};
