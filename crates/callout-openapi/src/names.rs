//! Legal names that stay the same as long as what they name does.

use std::collections::HashSet;

/// Characters of a name that is made here.
const MAX_NAME: usize = 64;

/// The name of an endpoint: of its `operationId`, or of method and path where there is none. What
/// is too long, or taken, gets a digest of method and path in place of its end.
pub(crate) fn endpoint(id: Option<&str>, method: &str, path: &str) -> String {
    let given = id.map(slug).filter(|name| !name.is_empty());
    let name = given.unwrap_or_else(|| slug(&format!("{method}-{path}")));
    let name = if name.is_empty() { slug(method) } else { name };
    if name.len() <= MAX_NAME { name } else { with_digest(&name, method, path) }
}

/// A name that no other endpoint has, and whether it had to be changed.
pub(crate) fn unique(name: String, method: &str, path: &str, taken: &mut HashSet<String>) -> (String, bool) {
    if taken.insert(name.clone()) {
        return (name, false);
    }
    let mut other = with_digest(&name, method, path);
    let mut count = 2_u32;
    while !taken.insert(other.clone()) {
        other = with_digest(&name, method, &format!("{path} {count}"));
        count += 1;
    }
    (other, true)
}

/// Whether it may be the name of a param in a path.
pub(crate) fn is_param(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|first| first.is_ascii_alphanumeric() || "_$".contains(first));
    first && name.chars().all(is_of_a_param)
}

/// The text with `_` for what the name of a param in a path may not have.
pub(crate) fn legal_param(text: &str) -> String {
    text.chars().map(|found| if is_of_a_param(found) { found } else { '_' }).collect()
}

fn is_of_a_param(found: char) -> bool {
    found.is_ascii_alphanumeric() || "_$.-[]@".contains(found)
}

/// The name, with a number behind it if it is taken.
pub(crate) fn free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut count = 2_u32;
    while is_taken(&free) {
        free = format!("{name}_{count}");
        count += 1;
    }
    free
}

/// The name of an integration: lower case, at least two characters.
pub(crate) fn integration(text: &str) -> String {
    let name = slug(&text.to_lowercase()).to_lowercase();
    let name = if name.len() > MAX_NAME { with_digest(&name, "", text).to_lowercase() } else { name };
    match name.len() {
        0 => "api".to_owned(),
        1 => format!("{name}-api"),
        _ => name,
    }
}

/// ASCII letters, digits and `_` as they are, runs of anything else as one `-`, none at the ends.
fn slug(text: &str) -> String {
    let mut name = String::new();
    for found in text.chars() {
        if found.is_ascii_alphanumeric() || found == '_' {
            name.push(found);
        } else if !name.ends_with('-') && !matches!(found, '\'' | '}') {
            name.push('-');
        }
    }
    name.trim_matches(['-', '_']).to_owned()
}

fn with_digest(name: &str, method: &str, path: &str) -> String {
    // FNV-1a, for it is short, stable and needs nothing; names are no secrets.
    let key = format!("{method} {path}");
    let digest = key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let room = MAX_NAME - 9;
    // A slug is ASCII.
    let kept = name.get(..room.min(name.len())).unwrap_or_default().trim_end_matches(['-', '_']);
    format!("{kept}-{digest:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_stable() {
        for (id, method, path, expected) in [
            (Some("repos/list-for-org"), "get", "/x", "repos-list-for-org"),
            (Some("listPets"), "get", "/x", "listPets"),
            (Some("__über::Größe__"), "get", "/x", "ber-Gr-e"),
            (Some("日本"), "get", "/users/{id}", "get-users-id"),
            (None, "get", "/users/{id}/posts", "get-users-id-posts"),
            (None, "get", "/", "get"),
            (None, "post", "/v1/things:run", "post-v1-things-run"),
            (Some("a.b"), "get", "/x", "a-b"),
        ] {
            assert_eq!(endpoint(id, method, path), expected);
        }
        let long = "x".repeat(100);
        let (one, other) = (endpoint(Some(&long), "get", "/a"), endpoint(Some(&long), "get", "/b"));
        assert!(one.len() == 64 && other.len() == 64 && one != other, "{one} {other}");
    }

    #[test]
    fn names_that_are_taken_are_changed() {
        let mut taken = HashSet::new();
        let name = || "list".to_owned();
        assert_eq!(unique(name(), "get", "/a", &mut taken), ("list".to_owned(), false));
        let (second, changed) = unique(name(), "get", "/b", &mut taken);
        assert!(changed && second.starts_with("list-"), "{second}");
        let (third, _) = unique(name(), "get", "/b", &mut taken);
        assert_ne!(second, third);
        assert_eq!(taken.len(), 3);
    }

    #[test]
    fn integrations_have_lower_case_names() {
        for (title, expected) in [
            ("GitHub v3 REST API", "github-v3-rest-api"),
            ("", "api"),
            ("X", "x-api"),
            ("…", "api"),
            ("_Shop_ (beta)", "shop_-beta"),
        ] {
            assert_eq!(integration(title), expected, "{title}");
        }
        assert!(integration(&"long title ".repeat(30)).len() <= 64);
    }
}
