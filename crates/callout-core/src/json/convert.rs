//! From and to what hosts already have: Rust values, `serde_json::Value`, any serde format.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use smol_str::SmolStr;

use super::{Array, Json, Number, Object, ObjectBuilder};

/// The member name under which `serde_json` hands over a number when the host program has switched
/// its `arbitrary_precision` on.
const SERDE_JSON_NUMBER: &str = "$serde_json::private::Number";

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<SmolStr> for Json {
    fn from(value: SmolStr) -> Self {
        Self::String(value)
    }
}

impl From<Number> for Json {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<Array> for Json {
    fn from(value: Array) -> Self {
        Self::Array(value)
    }
}

impl From<Object> for Json {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(elements: Vec<T>) -> Self {
        elements.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl FromIterator<Json> for Json {
    fn from_iter<I: IntoIterator<Item = Json>>(elements: I) -> Self {
        Self::Array(elements.into_iter().collect())
    }
}

impl<K: Into<SmolStr>> FromIterator<(K, Json)> for Json {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(members: I) -> Self {
        Self::Object(members.into_iter().collect())
    }
}

macro_rules! from_integer {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Json {
            fn from(value: $kind) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}

from_integer!(i8, u8, i16, u16, i32, u32, i64, u64, i128, u128, isize, usize);

/// Numbers keep the digits that `serde_json` has kept.
impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => number_or_text(number.to_string()),
            serde_json::Value::String(text) => Self::String(text.into()),
            serde_json::Value::Array(elements) => elements.into(),
            serde_json::Value::Object(members) => {
                members.into_iter().map(|(name, value)| (name, Self::from(value))).collect()
            }
        }
    }
}

/// A number beyond what `serde_json` holds becomes the nearest float, and a string if it is beyond
/// a float's range too.
impl From<&Json> for serde_json::Value {
    fn from(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => {
                let integer = number
                    .as_i64()
                    .map(serde_json::Number::from)
                    .or_else(|| number.as_u64().map(serde_json::Number::from));
                integer
                    .or_else(|| serde_json::Number::from_f64(number.as_f64()))
                    .map_or_else(|| Self::String(number.to_string()), Self::Number)
            }
            Json::String(text) => Self::String(text.to_string()),
            Json::Array(elements) => elements.iter().map(Self::from).collect(),
            Json::Object(members) => members.iter().map(|(name, value)| (name, Self::from(value))).collect(),
        }
    }
}

fn number_or_text(text: String) -> Json {
    Number::from_text(&text).map_or_else(|| Json::String(text.into()), Json::Number)
}

/// For formats other than JSON, and for JSON inside a larger serde type. JSON texts are better read
/// by [`super::ReadOptions`], which keeps the digits of every number.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom(format_args!("JSON has no number {value}")))?;
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_none<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        Json::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element::<Json>()? {
            array.push(element);
        }
        Ok(Json::Array(array.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = ObjectBuilder::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == SERDE_JSON_NUMBER {
                return members.next_value::<String>().map(number_or_text);
            }
            object.insert(name, members.next_value::<Json>()?);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_host_value_and_back() {
        let host = json!({"a": [1, -2.5, "x", null, true], "b": {"c": u64::MAX}});
        let ours = Json::from(host.clone());
        assert_eq!(ours, Json::parse(r#"{"a":[1,-2.5,"x",null,true],"b":{"c":18446744073709551615}}"#).unwrap());
        assert_eq!(serde_json::Value::from(&ours), host);
    }

    #[test]
    fn through_serde() {
        let read: Json = serde_json::from_str(r#"{"b":1,"a":[1.5,null,"x"]}"#).unwrap();
        assert_eq!(read.to_string(), r#"{"b":1,"a":[1.5,null,"x"]}"#);
    }

    #[test]
    fn numbers_beyond_a_float_stay_readable_for_the_host() {
        let huge = Json::parse("[1e999, 123456789012345678901234567890]").unwrap();
        assert_eq!(serde_json::Value::from(&huge), json!(["1e999", 1.234_567_890_123_456_8e29]));
    }
}
