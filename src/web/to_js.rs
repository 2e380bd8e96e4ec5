//! Results for JavaScript: the object that JSON of a value would be.

use std::fmt;

use js_sys::{Array, Object, Reflect};
use serde::ser::{self, Impossible, Serialize, Serializer};
use wasm_bindgen::JsValue;

/// Why a value is none of JSON, or options are not what they should be.
#[derive(Debug)]
pub struct Problem(pub String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl ser::Error for Problem {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Problem(why.to_string())
    }
}

type Made = Result<JsValue, Problem>;

pub struct ToJs;

/// An array that is being filled.
#[derive(Default)]
pub struct List(Array);

/// An object that is being filled, and the key that waits for its value.
#[derive(Default)]
pub struct Fields {
    object: Object,
    key: JsValue,
}

impl List {
    fn add<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Problem> {
        self.0.push(&item.serialize(ToJs)?);
        Ok(())
    }
}

impl Fields {
    fn set<T: Serialize + ?Sized>(&self, key: &JsValue, value: &T) -> Result<(), Problem> {
        self.put(key, &value.serialize(ToJs)?)
    }

    fn put(&self, key: &JsValue, value: &JsValue) -> Result<(), Problem> {
        Reflect::set(&self.object, key, value).map(drop).map_err(|_| Problem("an object takes no fields".into()))
    }
}

macro_rules! numbers {
    ($($name:ident: $ty:ty)*) => { $(
        fn $name(self, v: $ty) -> Made {
            Ok(JsValue::from_f64(v as f64))
        }
    )* };
}

macro_rules! lists {
    ($($name:ident: $add:ident)*) => { $(
        impl ser::$name for List {
            type Ok = JsValue;
            type Error = Problem;

            fn $add<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Problem> {
                self.add(item)
            }

            fn end(self) -> Made {
                Ok(self.0.into())
            }
        }
    )* };
}

lists! { SerializeSeq: serialize_element SerializeTuple: serialize_element SerializeTupleStruct: serialize_field }

impl ser::SerializeStruct for Fields {
    type Ok = JsValue;
    type Error = Problem;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Problem> {
        self.set(&key.into(), value)
    }

    fn end(self) -> Made {
        Ok(self.object.into())
    }
}

impl ser::SerializeMap for Fields {
    type Ok = JsValue;
    type Error = Problem;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Problem> {
        self.key = key.serialize(ToJs)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Problem> {
        self.set(&self.key, value)
    }

    fn end(self) -> Made {
        Ok(self.object.into())
    }
}

impl Serializer for ToJs {
    type Ok = JsValue;
    type Error = Problem;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<JsValue, Problem>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Impossible<JsValue, Problem>;

    // Beyond 2^53 numbers lose digits, as those of JSON do.
    numbers! {
        serialize_i8: i8 serialize_i16: i16 serialize_i32: i32 serialize_i64: i64
        serialize_u8: u8 serialize_u16: u16 serialize_u32: u32 serialize_u64: u64
        serialize_f32: f32 serialize_f64: f64
    }

    fn serialize_bool(self, v: bool) -> Made {
        Ok(v.into())
    }

    fn serialize_char(self, v: char) -> Made {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Made {
        Ok(v.into())
    }

    fn serialize_bytes(self, v: &[u8]) -> Made {
        v.serialize(self)
    }

    fn serialize_none(self) -> Made {
        Ok(JsValue::NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Made {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Made {
        Ok(JsValue::NULL)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Made {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Made {
        let fields = Fields::default();
        fields.set(&variant.into(), value)?;
        Ok(fields.object.into())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<List, Problem> {
        Ok(List::default())
    }

    fn serialize_tuple(self, _len: usize) -> Result<List, Problem> {
        Ok(List::default())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<List, Problem> {
        Ok(List::default())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Problem> {
        Err(Problem(format!("'{variant}' has fields without names")))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Fields, Problem> {
        Ok(Fields::default())
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Fields, Problem> {
        Ok(Fields::default())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Problem> {
        Err(Problem(format!("'{variant}' has fields")))
    }
}
