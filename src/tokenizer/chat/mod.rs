//! Chat templates: from messages to the text a model was trained on.
//!
//! A template is a Jinja program that comes with the model and is written for how Hugging Face transformers sets up
//! Jinja2 (`apply_chat_template` in `utils/chat_template_utils.py`): `trim_blocks`, `lstrip_blocks`, loop controls, the
//! methods of Python's strings and dicts, `tojson` as `json.dumps` writes it, `raise_exception`, `strftime_now`.

mod filters;
mod json;
mod python;
mod rewrite;
mod template;
mod time;

pub use json::parse as parse_json;
pub use minijinja::Value;
pub use template::{ChatTemplate, ChatTemplates, Variables};
pub use time::CivilTime;
