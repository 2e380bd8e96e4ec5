//! Options of JavaScript as types of the library: what a value is said to be, it must be.

use std::fmt;
use std::slice::Iter;

use js_sys::{Array, Reflect};
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use wasm_bindgen::prelude::*;

use super::to_js::Problem;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = String, catch)]
    fn text(value: &JsValue) -> Result<String, JsValue>;
}

/// What serde says of a value that it did not expect takes all of the standard library's formatting of floats. JavaScript
/// can say it: see [`FromJs::deserialize_any`].
impl de::Error for Problem {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Problem(why.to_string())
    }

    fn invalid_type(_found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Problem(format!("{wanted} is needed"))
    }

    fn invalid_value(_found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Problem(format!("{wanted} is needed"))
    }
}

pub struct FromJs(pub JsValue);

/// What serde tells apart. What is generic is a copy for each type, so it is little.
enum Kind {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Items),
    /// Nothing, an object or a function.
    Other,
}

impl FromJs {
    fn kind(&self) -> Kind {
        let value = &self.0;
        if let Some(v) = value.as_bool() {
            Kind::Bool(v)
        } else if let Some(v) = value.as_f64() {
            // A float that is whole and small enough is an integer.
            if v as i64 as f64 == v { Kind::Integer(v as i64) } else { Kind::Float(v) }
        } else if let Some(v) = value.as_string() {
            Kind::Text(v)
        } else if let Some(array) = value.dyn_ref::<Array>() {
            Kind::List(Items { array: array.clone(), at: 0 })
        } else {
            Kind::Other
        }
    }

    fn is_none(&self) -> bool {
        self.0.is_undefined() || self.0.is_null()
    }

    fn found(&self, Problem(why): Problem) -> Problem {
        let found = text(&self.0).unwrap_or_else(|_| "an object".into());
        Problem(format!("{why}, found {found}"))
    }
}

impl<'de> Deserializer<'de> for FromJs {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let value = match self.kind() {
            Kind::Bool(v) => visitor.visit_bool(v),
            Kind::Integer(v) => visitor.visit_i64(v),
            Kind::Float(v) => visitor.visit_f64(v),
            Kind::Text(v) => visitor.visit_string(v),
            Kind::List(items) => visitor.visit_seq(items),
            Kind::Other => visitor.visit_unit(),
        };
        value.map_err(|problem| self.found(problem))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if self.is_none() {
            return self.deserialize_any(visitor);
        }
        visitor.visit_map(Fields { object: self.0, names: fields.iter(), next: ("", JsValue::UNDEFINED) })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The items of an array that are still to come.
struct Items {
    array: Array,
    at: u32,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Problem;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Problem> {
        if self.at == self.array.length() {
            return Ok(None);
        }
        self.at += 1;
        seed.deserialize(FromJs(self.array.get(self.at - 1))).map(Some)
    }
}

/// The fields of an object that are still to come. Those that are undefined are not there.
struct Fields {
    object: JsValue,
    names: Iter<'static, &'static str>,
    next: (&'static str, JsValue),
}

impl Fields {
    /// Go to the next field that is there.
    fn advance(&mut self) -> Option<&'static str> {
        for name in self.names.by_ref() {
            let value = Reflect::get(&self.object, &(*name).into()).unwrap_or_default();
            if !value.is_undefined() {
                self.next = (name, value);
                return Some(name);
            }
        }
        None
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Problem> {
        self.advance().map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Problem> {
        let (name, value) = std::mem::take(&mut self.next);
        seed.deserialize(FromJs(value)).map_err(|problem| within(name, problem))
    }
}

fn within(name: &str, Problem(why): Problem) -> Problem {
    Problem(format!("{name}: {why}"))
}
