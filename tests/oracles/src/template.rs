use std::time::Duration;

use callout_core::{
    ErrorKind,
    json::{Json, Object},
    limits::Limits,
    time::Deadline,
};
use callout_response::{
    Watch,
    template::{Template, Values},
};

use crate::{line, world};

/// A JSON text on a line, then a template over it: it compiles or is refused with a reason; what it writes is
/// bounded and the same each time; it fails in one of the ways that templates fail.
///
/// # Panics
///
/// Where that does not hold.
pub fn template(bytes: &[u8]) {
    let Some((values, source)) = line(bytes) else { return };
    let (Ok(result), Ok(source)) = (Json::parse(values), std::str::from_utf8(source)) else { return };
    let limits = Limits::default();
    let template = match Template::compile(source, &limits) {
        Ok(template) => template,
        Err(message) => {
            assert!(!message.is_empty() && message.len() < 4_096, "{message}");
            return;
        }
    };
    let clock = world::clock();
    let watch = Watch { clock: &clock, deadline: Deadline::after(&clock, Duration::from_mins(1)) };
    let values = Values { result: &result, response: &result, params: &Object::default(), status: 200 };
    let rendered = template.render(&values, &watch);
    let again = template.render(&values, &watch);
    match (&rendered, &again) {
        (Ok(text), Ok(again)) => {
            assert_eq!(text, again, "the same each time");
            assert!(text.len() <= limits.max_template_output_bytes, "{} bytes", text.len());
        }
        (Err(error), Err(again)) => {
            assert_eq!(error.to_string(), again.to_string(), "the same each time");
            assert!(matches!(error.kind(), ErrorKind::Template | ErrorKind::LimitExceeded), "{error}");
            assert!(error.to_string().len() < 4_096, "{error}");
        }
        _ => panic!("once {rendered:?}, once {again:?}"),
    }
}
