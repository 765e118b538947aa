//! Params from flags.

use std::{fs, io::Read};

use callout::{
    Integration, Json,
    json::{ObjectBuilder, ReadOptions},
};

use crate::{Stop, args::ParamArgs};

/// The params of `--params`, then those of each `--param` over them. Without an endpoint there is no
/// schema to say what a `--param` is: a token's params stay text.
pub(crate) fn read(args: &ParamArgs, integration: &Integration, endpoint: Option<&str>) -> Result<Json, Stop> {
    let all = match args.params.as_deref() {
        None => Json::empty_object(),
        Some("-") => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            parse(&bytes, "standard input")?
        }
        Some(text) => match text.strip_prefix('@') {
            Some(path) => parse(&fs::read(path).map_err(|error| format!("--params {path}: {error}"))?, path)?,
            None => parse(text.as_bytes(), "the argument")?,
        },
    };
    let Json::Object(all) = all else {
        return Err(Stop(format!("--params must be a JSON object, not {}", all.type_name())));
    };
    let tool = integration.tools().into_iter().find(|tool| Some(tool.endpoint.as_str()) == endpoint);
    let schema = tool.map(|tool| tool.input_schema).unwrap_or_default();
    let as_text = Json::parse(r#"{"type": "string"}"#)?;
    let mut params = ObjectBuilder::new();
    for (name, value) in all.iter() {
        params.insert(name, value.clone());
    }
    for flag in &args.param {
        let (name, value) =
            flag.split_once('=').ok_or_else(|| Stop(format!("--param takes KEY=VALUE, not {flag:?}")))?;
        let declared = schema.get("properties").and_then(|properties| properties.get(name));
        params.insert(name, typed(value, if endpoint.is_some() { declared } else { Some(&as_text) }));
    }
    Ok(params.into())
}

fn parse(bytes: &[u8], source: &str) -> Result<Json, Stop> {
    ReadOptions::default().read(bytes).map_err(|error| Stop(format!("--params, {source}: {error}")))
}

/// A string where the schema asks for one; else what the text is as JSON; else a string.
pub(crate) fn typed(value: &str, schema: Option<&Json>) -> Json {
    let wants_string = match schema.and_then(|schema| schema.get("type")) {
        Some(Json::String(kind)) => kind == "string",
        Some(Json::Array(kinds)) => kinds.iter().any(|kind| kind.as_str() == Some("string")),
        _ => false,
    };
    if wants_string { value.into() } else { Json::parse(value).unwrap_or_else(|_| value.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_decides_what_a_flag_means() {
        let schema = |text| Some(Json::parse(text).unwrap());
        for (value, kind, expected) in [
            ("5", None, "5"),
            ("5", schema(r#"{"type":"string"}"#), "\"5\""),
            ("5", schema(r#"{"type":["string","null"]}"#), "\"5\""),
            ("1.10", schema(r#"{"type":"number"}"#), "1.10"),
            ("true", None, "true"),
            ("[1]", None, "[1]"),
            ("rust", None, "\"rust\""),
            ("007", None, "\"007\""),
        ] {
            assert_eq!(typed(value, kind.as_ref()).to_string(), expected, "{value} as {kind:?}");
        }
    }
}
