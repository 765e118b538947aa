use callout_core::{
    json::{Json, LoneSurrogates, ReadOptions},
    limits::Limits,
};
use callout_path::{Grammar, Mask, Path};

use crate::line;

/// A path on a line, then a JSON text: bounded; what the path leads to stands in the document, where a mask
/// keeps it; both visit alike.
///
/// # Panics
///
/// Where that does not hold.
pub fn path(bytes: &[u8]) {
    let Some((path, value)) = line(bytes) else { return };
    let limits = Limits::default();
    let Ok(path) = Path::parse(path, &limits) else { return };
    let read = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() }.read(value);
    let Ok(value) = read else { return };
    let found = path.value(&value, &limits);
    let mut mask = Mask::new();
    let selected = path.select(&value, &mut mask, &limits);
    assert_eq!(found, path.value(&value, &limits), "the same each time");
    if path.grammar() == Grammar::JsonPath {
        assert_eq!(found.is_ok(), selected.is_ok(), "both visit alike");
    }
    let (Ok(found), Ok(())) = (found, selected) else { return };
    let kept = mask.apply(&value);
    assert!(kept.to_string().len() <= value.to_string().len().max("null".len()), "a mask adds nothing");
    assert_eq!(mask.apply(&value), kept, "the same each time");
    match (path.grammar(), path.is_single(), found) {
        (Grammar::Dotted, ..) => {}
        (_, true, None) => assert_eq!(kept, Json::Null, "nothing found, nothing kept"),
        (_, true, Some(found)) => assert!(holds(&kept, &found), "{kept} keeps {found}"),
        (_, false, found) => {
            for found in found.iter().filter_map(|found| found.as_array()).flatten() {
                assert!(holds(&kept, found), "{kept} keeps {found}");
            }
        }
    }
}

/// Whether the value stands somewhere in the document. Documents nest no deeper than the reader lets them.
fn holds(document: &Json, value: &Json) -> bool {
    document == value
        || match document {
            Json::Array(elements) => elements.iter().any(|element| holds(element, value)),
            Json::Object(members) => members.values().any(|member| holds(member, value)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
        }
}
