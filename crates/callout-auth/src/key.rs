//! The key of a token in the cache: a digest that shows nothing of what went into it.

use std::{
    fmt::{self, Write},
    hash::{Hash, Hasher},
};

use callout_core::{
    config::AuthConfig,
    http::Caller,
    json::Json,
    secret::{ExposeSecret, Secrets},
};
use sha2::{Digest, Sha256};

/// SHA-256 over everything that decides which token it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// As hex, for people who compare keys.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The first bytes: as evenly spread as any hash of the whole.
    pub(crate) fn start(&self) -> u64 {
        self.0.first_chunk().map_or(0, |start| u64::from_le_bytes(*start))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.start());
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}…", self.start().swap_bytes())
    }
}

/// The part of a key that an integration's params do not change, digested once when it is compiled.
///
/// Each part goes in after its length, so that no two different rows of parts give the same bytes;
/// texts are taken byte for byte, without Unicode normalisation.
#[derive(Clone)]
pub(crate) struct KeySeed(Sha256);

impl KeySeed {
    pub(crate) fn new(owner: &Caller, config: &AuthConfig, secrets: &Secrets) -> Self {
        let mut seed = Self(Sha256::new());
        seed.part(b"callout token 1");
        seed.part(owner.workspace.as_bytes());
        seed.part(owner.integration.as_bytes());
        seed.part(config.to_json().to_string().as_bytes());
        for (name, secret) in secrets.iter() {
            seed.part(name.as_str().as_bytes());
            seed.part(&Sha256::digest(secret.expose_secret().as_bytes()));
        }
        seed
    }

    /// The key for these values, in the order of the config's mappings. `None` and null are absent;
    /// callers pass nothing but scalars.
    pub(crate) fn key<'a>(&self, values: impl IntoIterator<Item = Option<&'a Json>>) -> Key {
        let mut seed = self.clone();
        for value in values {
            match value {
                None | Some(Json::Null) => seed.part(b""),
                Some(Json::String(text)) => seed.tagged(b's', text),
                Some(Json::Number(number)) => seed.tagged(b'n', number.as_str()),
                Some(Json::Bool(value)) => seed.tagged(b'b', if *value { "true" } else { "false" }),
                Some(other @ (Json::Array(_) | Json::Object(_))) => seed.tagged(b'j', &other.to_string()),
            }
        }
        Key(seed.0.finalize().into())
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn tagged(&mut self, tag: u8, text: &str) {
        self.0.update((text.len() as u64 + 1).to_le_bytes());
        self.0.update([tag]);
        self.0.update(text.as_bytes());
    }
}

impl fmt::Debug for KeySeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self; // a digest of secrets in the making
        f.debug_struct("KeySeed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use callout_core::{
        config::{AuthType, ExchangeHeaderMapping},
        secret::SecretName,
    };
    use proptest::prelude::*;

    use super::*;

    /// Everything that goes into a key.
    #[derive(Clone, Debug, PartialEq)]
    struct Inputs {
        workspace: String,
        integration: String,
        client_id: Option<String>,
        scopes: Option<Vec<String>>,
        secret: String,
        values: [Option<Json>; 2],
    }

    impl Inputs {
        fn key(&self) -> Key {
            let mapping = |name: &str| ExchangeHeaderMapping {
                header_name: format!("X-{name}"),
                param_name: name.to_owned(),
                consume: true,
                required: false,
            };
            let config = AuthConfig {
                client_id: self.client_id.clone(),
                scopes: self.scopes.clone(),
                exchange_param_headers: vec![mapping("a"), mapping("b")],
                ..AuthConfig::new(AuthType::BearerTokenExchange)
            };
            let owner =
                Caller { workspace: self.workspace.as_str().into(), integration: self.integration.as_str().into() };
            let secrets = Secrets::new().with(SecretName::ExchangeSecret, self.secret.as_str());
            KeySeed::new(&owner, &config, &secrets).key(self.values.iter().map(Option::as_ref))
        }

        /// Null is absent.
        fn with_null_absent(mut self) -> Self {
            for value in &mut self.values {
                *value = value.take().filter(|value| !value.is_null());
            }
            self
        }
    }

    /// Few characters, so that different texts are often alike when they are joined.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![4 => "[a|:\\x001]{0,3}", 1 => Just("é".to_owned()), 1 => Just("e\u{301}".to_owned())]
    }

    fn value() -> impl Strategy<Value = Option<Json>> {
        prop_oneof![
            Just(None),
            Just(Some(Json::Null)),
            text().prop_map(|text| Some(Json::from(text))),
            prop_oneof![Just("1"), Just("1.0"), Just("true"), Just("null"), Just("")]
                .prop_map(|text| Some(text.into())),
            prop_oneof![Just("1"), Just("1.0"), Just("10"), Just("-1")].prop_map(|text| Json::parse(text).ok()),
            any::<bool>().prop_map(|value| Some(value.into())),
        ]
    }

    fn inputs() -> impl Strategy<Value = Inputs> {
        let scopes = prop::option::of(prop::collection::vec(text(), 0..3));
        (text(), text(), prop::option::of(text()), scopes, text(), [value(), value()]).prop_map(
            |(workspace, integration, client_id, scopes, secret, values)| Inputs {
                workspace,
                integration,
                client_id,
                scopes,
                secret,
                values,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn keys_are_equal_exactly_when_all_that_goes_into_them_is(
            one in inputs(),
            other in inputs(),
            taken in prop::array::uniform6(any::<bool>()),
        ) {
            // Mostly alike: each part of the other is taken from the one or left.
            let mut other = other;
            let [workspace, integration, client_id, scopes, secret, values] = taken;
            if workspace { other.workspace.clone_from(&one.workspace) }
            if integration { other.integration.clone_from(&one.integration) }
            if client_id { other.client_id.clone_from(&one.client_id) }
            if scopes { other.scopes.clone_from(&one.scopes) }
            if secret { other.secret.clone_from(&one.secret) }
            if values { other.values.clone_from(&one.values) }
            let equal = one.key() == other.key();
            prop_assert_eq!(equal, one.with_null_absent() == other.with_null_absent());
        }

        /// What moves from the end of one part to the beginning of the next.
        #[test]
        fn boundaries_count(left in "[a|:\\x00]{0,4}", right in "[a|:\\x00]{0,4}", cut in 0..9_usize) {
            let joined = format!("{left}{right}");
            let cut = cut.min(joined.len());
            let inputs = |workspace: &str, integration: &str| Inputs {
                workspace: workspace.to_owned(),
                integration: integration.to_owned(),
                client_id: None,
                scopes: None,
                secret: "s".to_owned(),
                values: [None, None],
            };
            let equal = inputs(&left, &right).key() == inputs(&joined[..cut], &joined[cut..]).key();
            prop_assert_eq!(equal, cut == left.len());
        }
    }

    #[test]
    fn debug_and_hex_show_the_digest_only() {
        let seed = KeySeed::new(&Caller::default(), &AuthConfig::new(AuthType::BearerToken), &Secrets::new());
        let key = seed.key([]);
        assert_eq!(key.to_hex().len(), 64);
        let (shown, hex) = (format!("{key:?}"), key.to_hex());
        assert_eq!(shown.strip_suffix('…'), hex.get(..16));
        assert_eq!(format!("{seed:?}"), "KeySeed { .. }");
    }
}
