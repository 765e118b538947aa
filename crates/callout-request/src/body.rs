//! Params as a body: wrapped, constants beside them, as JSON or as a form.

use bytes::Bytes;
use callout_core::{
    Error, ErrorKind,
    config::{BodyFormat, EndpointConfig},
    json::{Json, Object, ObjectBuilder, SmolStr, write_compact},
};

use crate::query;

/// Room for a body, to begin with.
const USUAL_BYTES: usize = 256;

/// How an endpoint's body is made.
#[derive(Debug)]
pub(crate) struct BodyPlan {
    format: BodyFormat,
    wrap: Option<SmolStr>,
    inject: Vec<(SmolStr, Json)>,
}

impl BodyPlan {
    /// The plan of an endpoint whose method has a body, else `None`.
    pub(crate) fn compile(endpoint: &EndpointConfig) -> Option<Self> {
        if !endpoint.method.has_body() {
            return None;
        }
        let transform = endpoint.request_transform.clone().unwrap_or_default();
        Some(Self {
            format: endpoint.body_format,
            wrap: transform.wrap_key().map(Into::into),
            inject: transform.inject.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        })
    }

    /// The media type of the body.
    pub(crate) const fn content_type(&self) -> &'static str {
        match self.format {
            BodyFormat::Json => "application/json",
            BodyFormat::Form => "application/x-www-form-urlencoded",
        }
    }

    /// Writes the remaining params: all under the wrap key if there is one, then the constants, which
    /// replace params of their names. No params are JSON's `{}` and an empty form.
    ///
    /// # Errors
    ///
    /// `invalid_params` if the form cannot be written.
    pub(crate) fn write(&self, rest: Object) -> Result<Bytes, Error> {
        let outermost = self.outermost(rest);
        match self.format {
            BodyFormat::Json => {
                let mut text = String::with_capacity(USUAL_BYTES);
                // Writing to a string cannot fail.
                let _ = write_compact(&Json::Object(outermost), &mut text);
                Ok(text.into())
            }
            BodyFormat::Form => {
                let pairs: Vec<_> = query::flatten(outermost.iter()).collect();
                let form = serde_urlencoded::to_string(pairs).map_err(|error| {
                    Error::new(ErrorKind::InvalidParams, "the params cannot be written as a form").with_source(error)
                })?;
                Ok(form.into())
            }
        }
    }

    fn outermost(&self, rest: Object) -> Object {
        if self.wrap.is_none() && self.inject.is_empty() {
            return rest;
        }
        let mut outermost = ObjectBuilder::new();
        match &self.wrap {
            Some(key) => drop(outermost.insert(key.clone(), rest)),
            None => {
                for position in 0..rest.len() {
                    if let Some((name, value)) = rest.entry(position) {
                        outermost.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        for (name, value) in &self.inject {
            outermost.insert(name.clone(), value.clone());
        }
        outermost.build()
    }
}
