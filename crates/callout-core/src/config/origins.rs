//! Where an integration's credentials go: the origins of its URLs.

use std::collections::BTreeSet;

use url::Url;

use super::{AuthType, IntegrationConfig};
use crate::fault::Place;

/// What is sent to a URL: credentials for one are not given for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// Calls, with the static secret or the token.
    Endpoint,
    /// Token requests, with the client's secret or assertion.
    Token,
    /// Exchanges, with the exchange secret.
    Exchange,
    /// Calls whose bearer is an assertion signed with the private key. It may be worth a token elsewhere,
    /// which a token that an endpoint gets is not.
    Assertion,
}

impl IntegrationConfig {
    /// The places of URLs that lead to an origin (scheme, host and port, RFC 6454) to which `before`
    /// sends nothing of the kind.
    ///
    /// Credentials belong to the origin that they were given for. Whoever lets a config be changed
    /// asks for the secret again where this is not empty; otherwise a secret could be collected by
    /// editing a URL.
    pub fn origins_beyond(&self, before: &Self) -> Vec<Place> {
        let known: BTreeSet<_> = before.origins().into_iter().map(|(_, role, origin)| (role, origin)).collect();
        let now = self.origins().into_iter();
        now.filter(|(_, role, origin)| !known.contains(&(*role, origin.clone()))).map(|(place, ..)| place).collect()
    }

    fn origins(&self) -> Vec<(Place, Role, String)> {
        let auth = self.auth.as_ref();
        let at_auth = |name: &str| Place::root().field("auth").field(name);
        // An empty one is none: the API gets the assertion then too.
        let token = auth.and_then(|auth| auth.token_url.as_deref()).filter(|url| !url.is_empty());
        let exchange = auth.and_then(|auth| auth.exchange_url.as_deref());
        let mut urls = vec![
            (Place::root().field("base_url"), Role::Endpoint, Some(self.base_url.as_str())),
            (at_auth("token_url"), Role::Token, token),
            (at_auth("exchange_url"), Role::Exchange, exchange),
        ];
        if self.base_url.is_empty() {
            for (at, endpoint) in self.endpoints.iter().enumerate() {
                let place = Place::root().field("endpoints").index(at).field("path");
                // Placeholders stand behind the host only.
                let fixed = endpoint.path.split('{').next();
                urls.push((place, Role::Endpoint, fixed));
            }
        }
        if auth.is_some_and(|auth| auth.kind == AuthType::OAuth2JwtBearer) && token.is_none() {
            let endpoints: Vec<_> = urls.iter().filter(|(_, role, _)| *role == Role::Endpoint).cloned().collect();
            let assertions = endpoints.into_iter().map(|(_, _, url)| (at_auth("token_url"), Role::Assertion, url));
            urls.extend(assertions);
        }
        let with_origin = urls.into_iter().filter_map(|(place, role, url)| {
            let origin = Url::parse(url?).ok()?.origin().ascii_serialization();
            Some((place, role, origin))
        });
        with_origin.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AuthConfig, EndpointConfig};

    fn config(base: &str, token: Option<&str>, exchange: Option<&str>, paths: &[&str]) -> IntegrationConfig {
        let mut auth = AuthConfig::new(AuthType::OAuth2ClientCredentials);
        auth.token_url = token.map(str::to_owned);
        auth.exchange_url = exchange.map(str::to_owned);
        let config = IntegrationConfig::new("shop", base).with_auth(auth);
        paths.iter().fold(config, |config, path| config.with_endpoint(EndpointConfig::new("a", "", *path)))
    }

    #[test]
    fn credentials_belong_to_the_origin_they_were_given_for() {
        let base = "https://a.example/v1";
        let table: [(IntegrationConfig, IntegrationConfig, &[&str]); 9] = [
            (config(base, None, None, &[]), config("https://a.example:443/v2", None, None, &[]), &[]),
            (config(base, None, None, &[]), config("http://a.example/v1", None, None, &[]), &["base_url"]),
            (config(base, None, None, &[]), config("https://a.example:8443/v1", None, None, &[]), &["base_url"]),
            (config(base, None, None, &[]), config("https://b.a.example/v1", None, None, &[]), &["base_url"]),
            (
                config(base, Some("https://id.example/t"), None, &[]),
                config(base, Some("https://id.example/u?x"), None, &[]),
                &[],
            ),
            // What an endpoint got is not what a token endpoint gets.
            (
                config(base, Some("https://id.example/t"), None, &[]),
                config(base, Some(base), None, &[]),
                &["auth.token_url"],
            ),
            (
                config(base, None, Some("https://id.example/t"), &[]),
                config(base, None, Some("https://evil.example/"), &[]),
                &["auth.exchange_url"],
            ),
            (
                config("", None, None, &["https://a.example/{id}"]),
                config("", None, None, &["https://a.example/x/{id}", "https://evil.example/{id}"]),
                &["endpoints[1].path"],
            ),
            (config("", None, None, &["https://a.example/{id}"]), config(base, None, None, &["/x"]), &[]),
        ];
        for (before, now, moved) in table {
            let places: Vec<_> = now.origins_beyond(&before).iter().map(ToString::to_string).collect();
            assert_eq!(places, moved, "{} {:?}", now.base_url, now.auth);
        }
    }

    #[test]
    fn an_assertion_that_went_to_a_token_endpoint_is_not_sent_to_the_api() {
        let jwt = |token_url: Option<&str>| {
            let mut auth = AuthConfig::new(AuthType::OAuth2JwtBearer);
            auth.token_url = token_url.map(str::to_owned);
            IntegrationConfig::new("shop", "https://a.example").with_auth(auth)
        };
        let moved = |before: &IntegrationConfig, now: &IntegrationConfig| {
            now.origins_beyond(before).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let (with, without, empty) = (jwt(Some("https://id.example/t")), jwt(None), jwt(Some("")));
        for now in [&without, &empty] {
            assert_eq!(moved(&with, now), ["auth.token_url"]);
            assert_eq!(moved(&without, now), [""; 0]);
            assert_eq!(moved(&empty, now), [""; 0]);
        }
    }
}
