//! Floats as text, and those functions of them that have much code. In a browser JavaScript has all of it already: the
//! standard library's takes 10 kB of a bundle after brotli, most of it tables.

#[cfg(not(target_arch = "wasm32"))]
mod native {
    /// The number that a text is, as JSON writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<f64> {
        text.parse().ok()
    }

    /// A number as `String` of JavaScript writes it: with as few digits as tell it apart.
    #[must_use]
    pub fn text(v: f64) -> String {
        if v == 0.0 {
            "0".to_owned()
        } else if !v.is_finite() {
            format!("{v}").replace("inf", "Infinity")
        } else if (1e-6..1e21).contains(&v.abs()) {
            format!("{v}")
        } else {
            let text = format!("{v:e}");
            if v.abs() >= 1.0 { text.replace('e', "e+") } else { text }
        }
    }

    #[must_use]
    pub fn sin_cos(x: f64) -> (f64, f64) {
        x.sin_cos()
    }

    /// The angle of the point (x, y).
    #[must_use]
    pub fn atan2(y: f64, x: f64) -> f64 {
        y.atan2(x)
    }
}

#[cfg(target_arch = "wasm32")]
mod web {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = Number)]
        fn number(text: &str) -> f64;
        #[wasm_bindgen(js_name = String)]
        pub fn text(v: f64) -> String;
        #[wasm_bindgen(js_namespace = Math)]
        fn sin(x: f64) -> f64;
        #[wasm_bindgen(js_namespace = Math)]
        fn cos(x: f64) -> f64;
        #[wasm_bindgen(js_namespace = Math)]
        pub fn atan2(y: f64, x: f64) -> f64;
    }

    pub fn sin_cos(x: f64) -> (f64, f64) {
        (sin(x), cos(x))
    }

    pub fn parse(text: &str) -> Option<f64> {
        Some(number(text)).filter(|v| !v.is_nan())
    }
}

#[cfg(not(target_arch = "wasm32"))]
pub use native::{atan2, parse, sin_cos, text};
#[cfg(target_arch = "wasm32")]
pub use web::{atan2, parse, sin_cos, text};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javascript_writes_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-12.5, "-12.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ];
        for (v, want) in cases {
            assert_eq!(text(v), want);
        }
    }
}
