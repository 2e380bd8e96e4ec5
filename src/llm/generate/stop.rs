//! Stop strings in a stream of text.

/// Holds back text that may be the start of a stop string.
#[derive(Debug, Default)]
pub struct StopStrings {
    stops: Vec<String>,
    held: String,
    /// Bytes at the start of what is held that the caller has from an earlier call.
    n_known: usize,
}

impl StopStrings {
    /// Empty stop strings stop nothing.
    #[must_use]
    pub fn new(stops: &[String]) -> Self {
        let stops = stops.iter().filter(|s| !s.is_empty()).cloned().collect();
        StopStrings { stops, ..Self::default() }
    }

    /// Goes on after the `pieces` of an earlier call, of which the caller has all but the end, `missing`. A stop string may
    /// have begun in them; those that are whole there have done their work.
    #[must_use]
    pub fn after(stops: &[String], pieces: impl Iterator<Item = String>, missing: &str) -> Self {
        let mut all = Self::new(stops);
        pieces.for_each(|piece| drop(all.push(&piece)));
        match all.held.strip_suffix(missing) {
            Some(known) => all.n_known = known.len(),
            None => missing.clone_into(&mut all.held),
        }
        all
    }

    /// The text that is certain now, and whether a stop string ended it.
    pub fn push(&mut self, text: &str) -> (String, bool) {
        self.held.push_str(text);
        if let Some(at) = self.stops.iter().filter_map(|s| self.held.find(s.as_str())).min() {
            self.held.truncate(at);
            return (self.finish(), true);
        }
        // The longest end of the text that a stop string starts with stays.
        let keep = self
            .held
            .char_indices()
            .map(|(at, _)| at)
            .find(|&at| self.stops.iter().any(|s| s.starts_with(&self.held[at..])))
            .unwrap_or(self.held.len());
        let rest = self.held.split_off(keep);
        let certain = self.finish();
        self.held = rest;
        (certain, false)
    }

    /// What is held, once no more comes.
    pub fn finish(&mut self) -> String {
        let mut text = std::mem::take(&mut self.held);
        let n_known = self.n_known.min(text.len());
        self.n_known -= n_known;
        text.split_off(n_known)
    }

    /// What is held and the caller has not got.
    #[must_use]
    pub fn missing(&self) -> &str {
        &self.held[self.n_known.min(self.held.len())..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut s = StopStrings::new(&stops.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let mut out = String::new();
        for p in pieces {
            let (text, stopped) = s.push(p);
            out.push_str(&text);
            if stopped {
                return (out, true);
            }
        }
        (out + &s.finish(), false)
    }

    #[test]
    fn stops_across_pieces() {
        assert_eq!(run(&["\n\n"], &["a\n", "\nb"]), ("a".into(), true));
        assert_eq!(run(&["END"], &["xE", "N", "Dy"]), ("x".into(), true));
        assert_eq!(run(&["END"], &["xE", "N", "d"]), ("xENd".into(), false));
        assert_eq!(run(&["ab", "b"], &["xab"]), ("x".into(), true));
        assert_eq!(run(&[""], &["x"]), ("x".into(), false));
        assert_eq!(run(&["é"], &["caf", "é"]), ("caf".into(), true));
    }

    #[test]
    fn holds_back_no_more_than_a_stop_string_could_need() {
        let mut s = StopStrings::new(&["<end>".to_owned()]);
        assert_eq!(s.push("a < b <e"), ("a < b ".to_owned(), false));
        assert_eq!(s.push("x"), ("<ex".to_owned(), false));
    }

    /// What comes after `old`, of which `missing` was not handed out.
    fn go_on(stops: &[&str], old: &[&str], missing: &str, new: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|s| (*s).to_owned()).collect();
        let mut s = StopStrings::after(&stops, old.iter().map(|piece| (*piece).to_owned()), missing);
        assert!(s.missing().ends_with(missing));
        let mut out = String::new();
        for piece in new {
            let (text, stopped) = s.push(piece);
            out.push_str(&text);
            if stopped {
                return (out, true);
            }
        }
        (out + &s.finish(), false)
    }

    #[test]
    fn goes_on_inside_a_stop_string() {
        // The end of the old text was held back, or was handed out because the text ended there.
        assert_eq!(go_on(&["END"], &["xE", "N"], "EN", &["D", "y"]), (String::new(), true));
        assert_eq!(go_on(&["END"], &["xE", "N"], "", &["D", "y"]), (String::new(), true));
        assert_eq!(go_on(&["END"], &["xE", "N"], "EN", &["d"]), ("ENd".into(), false));
        assert_eq!(go_on(&["END"], &["xE", "N"], "", &["d"]), ("d".into(), false));
        assert_eq!(go_on(&["aab"], &["aa"], "aa", &["ab"]), ("a".into(), true));
        assert_eq!(go_on(&["aab"], &["aa"], "", &["ab"]), (String::new(), true));
        assert_eq!(go_on(&["aab"], &["aa"], "", &["a", "c"]), ("ac".into(), false));
        assert_eq!(go_on(&["éa"], &["é"], "", &["b"]), ("b".into(), false));
        assert_eq!(go_on(&["END"], &["EN"], "", &[]), (String::new(), false));
        // Other stop strings than before.
        assert_eq!(go_on(&[], &["xEN"], "EN", &["D"]), ("END".into(), false));
        assert_eq!(go_on(&["ND"], &["xEN"], "EN", &["D"]), ("E".into(), true));
        // One that is whole in the old text stops no second time, nor with its end the next.
        assert_eq!(go_on(&["\n\n"], &["a\n", "\n"], "", &["\nb"]), ("\nb".into(), false));
    }
}
