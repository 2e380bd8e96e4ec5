//! What models want before a text, by its task. Files do not say it, so it is known by the model's name; the sentences are those of the
//! models' cards.

use crate::error::{Result, bail};

/// What comes before the texts of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Prefix {
    #[default]
    None,
    /// What the model wants before what is searched for.
    Query,
    /// What the model wants before what is searched in.
    Document,
    Text(String),
}

const SEARCH: &str = "Represent this sentence for searching relevant passages: ";

/// Words that a name has, each group in order, before query and document. The first that fits counts.
const KNOWN: [(&[&str], &str, &str); 8] = [
    (
        &["e5", "instruct"],
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ",
        "",
    ),
    (&["e5"], "query: ", "passage: "),
    (&["arctic", "embed", "v2.0"], "query: ", ""),
    (&["arctic", "embed"], SEARCH, ""),
    (&["bge", "m3"], "", ""),
    (&["bge", "en"], SEARCH, ""),
    (&["mxbai", "embed"], SEARCH, ""),
    (&["minilm"], "", ""),
];

impl Prefix {
    /// `query` and `document` by name, anything else as it is.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text {
            "" => Prefix::None,
            "query" => Prefix::Query,
            "document" => Prefix::Document,
            text => Prefix::Text(text.to_owned()),
        }
    }

    /// The text to come before each text, for a model of this name (`general.name`).
    ///
    /// # Errors
    /// `InvalidArgument` where the task is named, and what the model wants for it is not known.
    pub fn text(&self, model: Option<&str>) -> Result<&str> {
        let task = match self {
            Prefix::None => return Ok(""),
            Prefix::Text(text) => return Ok(text),
            Prefix::Query => "query",
            Prefix::Document => "document",
        };
        let model = model.unwrap_or("without a name");
        let name = model.to_lowercase();
        let words: Vec<&str> = name.split([' ', '-', '_', '/']).collect();
        let fits = |wanted: &[&str]| {
            let mut words = words.iter();
            wanted.iter().all(|w| words.any(|word| word == w))
        };
        match KNOWN.iter().find(|(wanted, ..)| fits(wanted)) {
            Some((_, query, _)) if *self == Prefix::Query => Ok(query),
            Some((.., document)) => Ok(document),
            None => bail!(
                InvalidArgument,
                "prefix is '{task}', and what the model '{model}' wants for it is not known; give the text itself, as its card has it"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_models_want() {
        let of = |name: &'static str| [Prefix::Query, Prefix::Document].map(|p| p.text(Some(name)).unwrap().to_owned());
        assert_eq!(of("E5 Small v2"), ["query: ", "passage: "]);
        assert_eq!(of("multilingual-e5-large"), ["query: ", "passage: "]);
        assert_eq!(of("Bge Small En v1.5"), [SEARCH, ""]);
        assert_eq!(of("BGE M3"), ["", ""]);
        assert_eq!(of("snowflake-arctic-embed-m-v2.0"), ["query: ", ""]);
        assert_eq!(of("All MiniLM L6 v2"), ["", ""]);
        assert_eq!(Prefix::Query.text(Some("some bert")).unwrap_err().code(), "INVALID_ARGUMENT");
        assert_eq!(Prefix::of("about: ").text(None).unwrap(), "about: ");
        assert_eq!(Prefix::of("").text(None).unwrap(), "");
        assert!(Prefix::of("document").text(None).is_err());
    }
}
