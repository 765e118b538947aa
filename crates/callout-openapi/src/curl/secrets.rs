//! What of a line is a secret: it is taken out and named.

use callout_core::config::{AuthConfig, AuthType};
use url::Url;

use super::{Made, line::Line};

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

/// Whether a header, a query key or a field of that name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|part| name.contains(part)) || matches!(name.as_str(), "key" | "sig" | "auth" | "pwd" | "x-key")
}

/// Takes the secrets out of the headers and says how to authenticate.
pub(super) fn take(line: &Line, url: &Url, headers: &mut Vec<(String, String)>, made: &mut Made) -> Option<AuthConfig> {
    let mut auth = None;
    if line.bearer.is_some() {
        choose(&mut auth, bearer(), "bearer_token", "the token of --oauth2-bearer", made);
    }
    if line.user.is_some() || !url.username().is_empty() || url.password().is_some() {
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
        } else if is_secret_name(&name) {
            choose(&mut auth, api_key(&name), "api_key", &format!("what the header {name} carries, all of it"), made);
        } else if is_of_the_connection(&name) {
            made.notes.push(format!("the header {name} is set by the connection"));
        } else if kept.iter().any(|(other, _): &(String, String)| other.eq_ignore_ascii_case(&name)) {
            made.losses.push(format!("of several headers {name} the first is sent"));
        } else {
            kept.push((name, value));
        }
    }
    if line.has_cookie {
        made.losses.push("cookies (-b) are not sent: they are left out".to_owned());
    }
    *headers = kept;
    auth
}

fn choose(chosen: &mut super::Auth, auth: AuthConfig, secret: &'static str, what: &str, made: &mut Made) {
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
