//! What of a line is a secret: it is taken out and named.

use callout_core::{
    config::{AuthConfig, AuthType},
    json::Json,
};
use url::{Url, form_urlencoded};

use super::{Made, line::Line, looks_like_a_secret};

/// Parts of names that secrets have.
const TELLING: [&str; 12] = [
    "authorization",
    "api-key",
    "apikey",
    "api_key",
    "token",
    "secret",
    "password",
    "passwd",
    "signature",
    "credential",
    "access-key",
    "access_key",
];

/// Tokens that say where a list goes on, in letters and digits alone.
const PAGE_TOKENS: [&str; 17] = [
    "continuationtoken",
    "cursortoken",
    "deltatoken",
    "nextcontinuationtoken",
    "nextpagetoken",
    "nextsynctoken",
    "nexttoken",
    "pagetoken",
    "paginationtoken",
    "previouspagetoken",
    "previoustoken",
    "prevpagetoken",
    "prevtoken",
    "skiptoken",
    "startpagetoken",
    "synctoken",
    "xmscontinuationtoken",
];

/// How the names of headers and query keys end that hold a secret. Fields of a body have many keys that are none.
const TELLING_ENDS: [&str; 4] = ["-key", "_key", "-auth", "_auth"];

/// Headers and query keys whose names end so, and that hold no secret.
const PLAIN_KEYS: [&str; 16] = [
    "idempotency-key",
    "idempotency_key",
    "x-idempotency-key",
    "cache-key",
    "cache_key",
    "surrogate-key",
    "sort-key",
    "sort_key",
    "start_key",
    "end_key",
    "partition-key",
    "partition_key",
    "primary_key",
    "project_key",
    "issue_key",
    "sec-websocket-key",
];

/// Headers whose values may look like a secret, and are none.
const PLAIN_HEADERS: [&str; 21] = [
    "accept",
    "baggage",
    "client-id",
    "content-type",
    "if-match",
    "if-none-match",
    "openai-organization",
    "openai-project",
    "sentry-trace",
    "stripe-account",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-app-id",
    "x-application-id",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-client-id",
    "x-correlation-id",
    "x-parse-application-id",
    "x-request-id",
];

/// Whether something of that name, be it a field of a body, holds a secret if it is text or a number.
fn is_secret_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let tells = TELLING.iter().any(|part| lower.contains(part))
        || matches!(lower.as_str(), "key" | "sig" | "auth" | "pwd" | "x-key" | "appid");
    tells && !is_page_token(name)
}

/// Whether something of that name says where a list goes on.
fn is_page_token(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    PAGE_TOKENS.contains(&plain.to_ascii_lowercase().as_str())
}

/// Whether a number of that name says how many tokens there may be, or which of a model's.
fn is_number_of_tokens(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["tokens", "token_ids", "tokenids"].iter().any(|end| lower.ends_with(end))
}

/// Whether a text of that name, in a form or a query, holds a secret.
pub(super) fn is_secret_text(name: &str, value: &str) -> bool {
    let is_number = is_number_of_tokens(name) && value.bytes().all(|byte| byte.is_ascii_digit());
    is_secret_name(name) && !is_number
}

/// Whether a JSON value of that name holds a secret, somewhere within it: a text, or a number that has the name itself.
pub(super) fn is_secret_field(name: &str, value: &Json) -> bool {
    let is_secret = |value: &Json| match value {
        Json::Number(_) => !is_number_of_tokens(name),
        other => has_text(other),
    };
    (is_secret_name(name) && is_secret(value)) || holds_secret(value)
}

fn holds_secret(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.iter().any(|(name, value)| is_secret_field(name, value)),
        Json::Array(elements) => elements.iter().any(holds_secret),
        _ => false,
    }
}

fn has_text(value: &Json) -> bool {
    match value {
        Json::String(_) => true,
        Json::Object(members) => members.values().any(has_text),
        Json::Array(elements) => elements.iter().any(has_text),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Whether the name of a header or a query key ends as those of secrets do.
fn has_secret_end(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    TELLING_ENDS.iter().any(|end| lower.ends_with(end)) && !PLAIN_KEYS.contains(&lower.as_str())
}

/// Whether a part of a header's or a query's value looks like a secret.
fn is_secret_value(value: &str) -> bool {
    let is_of_a_token = |found: char| found.is_ascii_alphanumeric() || matches!(found, '-' | '_' | '.');
    value.split(|found: char| !is_of_a_token(found)).any(looks_like_a_secret)
}

/// Whether a pair of a query may hold a secret.
pub(super) fn is_secret_pair(key: &str, value: &str) -> bool {
    is_secret_text(key, value) || has_secret_end(key) || (is_secret_value(value) && !is_page_token(key))
}

/// Whether a header's value is a URL that has a secret: a user's password, or one in its query or fragment.
fn is_url_with_secret(value: &str) -> bool {
    let is_secret =
        |part: &str| form_urlencoded::parse(part.as_bytes()).any(|(key, value)| is_secret_pair(&key, &value));
    Url::parse(value).is_ok_and(|url| url.password().is_some()) || value.split(['?', '#']).skip(1).any(is_secret)
}

/// Whether it is known of a header that its value is no secret.
fn is_plain(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    PLAIN_HEADERS.contains(&lower.as_str()) || PLAIN_KEYS.contains(&lower.as_str())
}

/// Takes the secrets out of the headers and says how to authenticate.
pub(super) fn take(line: &Line, url: &Url, headers: &mut Vec<(String, String)>, made: &mut Made) -> Option<AuthConfig> {
    let mut auth = None;
    // In place of what curl would write itself it sends the header that is written out.
    let is_written_out = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    if line.bearer.is_some() && !is_written_out {
        choose(&mut auth, bearer(), "bearer_token", "the token of --oauth2-bearer", made);
    }
    let has_user = line.user.is_some() || !url.username().is_empty() || url.password().is_some();
    // With `--digest` and its like curl sends no password: Basic would give it away to a host that never gets it.
    if has_user && !line.user_is_no_basic && !is_written_out {
        let basic = api_key("Authorization");
        choose(&mut auth, basic, "api_key", "`Basic ` and the Base64 of USER:PASSWORD (the line's -u)", made);
    }
    let mut kept = Vec::new();
    for (name, value) in std::mem::take(headers) {
        if name.eq_ignore_ascii_case("authorization") {
            let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            if token.is_some() {
                choose(&mut auth, bearer(), "bearer_token", "the token behind `Bearer` in the line", made);
            } else {
                choose(
                    &mut auth,
                    api_key("Authorization"),
                    "api_key",
                    "what the header Authorization carries, all of it",
                    made,
                );
            }
        } else if name.eq_ignore_ascii_case("cookie") {
            made.losses.push("cookies are not sent: they are left out".to_owned());
        } else if has_secret_end(&name) || is_secret_name(&name) {
            choose(&mut auth, api_key(&name), "api_key", &format!("what the header {name} carries, all of it"), made);
        } else if name.eq_ignore_ascii_case("host") && !is_host_of(url, &value) {
            made.losses.push(format!("the header {name} names another host: that of the URL is called"));
        } else if is_of_the_connection(&name) {
            made.notes.push(format!("the header {name} is set by the connection"));
        } else if kept.iter().any(|(other, _): &(String, String)| other.eq_ignore_ascii_case(&name)) {
            made.losses.push(format!("of several headers {name} the first is sent"));
        } else {
            kept.push((name, value));
        }
    }
    // There is room for one secret: those that a name tells of come before those that only look like one.
    kept.retain(|(name, value)| {
        let is_place = ["origin", "referer"].iter().any(|other| name.eq_ignore_ascii_case(other));
        let is_secret = !is_plain(name) && (is_secret_value(value) || (is_place && is_url_with_secret(value)));
        if is_secret && is_place {
            made.losses.push(format!("the header {name} may hold a secret and is left out"));
        } else if is_secret {
            let what = format!("what the header {name} carries, which looks like a secret");
            choose(&mut auth, api_key(name), "api_key", &what, made);
        }
        !is_secret
    });
    if line.has_cookie {
        made.losses.push("cookies (-b) are not sent: they are left out".to_owned());
    }
    *headers = kept;
    auth
}

fn choose(chosen: &mut Option<AuthConfig>, auth: AuthConfig, secret: &'static str, what: &str, made: &mut Made) {
    if chosen.is_some() {
        made.losses.push(format!("there is one secret only: left out is {what}"));
        return;
    }
    *chosen = Some(auth);
    made.secret = Some((secret, what.to_owned()));
}

fn bearer() -> AuthConfig {
    AuthConfig::new(AuthType::BearerToken)
}

fn api_key(header: &str) -> AuthConfig {
    let mut auth = AuthConfig::new(AuthType::ApiKeyHeader);
    auth.header_name = Some(header.to_owned());
    auth
}

/// Whether a header `Host` says what the URL does.
fn is_host_of(url: &Url, value: &str) -> bool {
    let named = Url::parse(&format!("{}://{}/", url.scheme(), value.trim()));
    named.is_ok_and(|named| named.host() == url.host() && named.port_or_known_default() == url.port_or_known_default())
}

fn is_of_the_connection(name: &str) -> bool {
    let names = [
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "te",
        "expect",
        "keep-alive",
        "accept-encoding",
        "upgrade",
    ];
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}
