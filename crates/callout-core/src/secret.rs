//! The secrets of one integration, by the names that the config gives them.

use std::{collections::BTreeMap, fmt, str::FromStr};

pub use secrecy::{ExposeSecret, SecretString};

/// Which secret it is: each auth type needs one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretName {
    /// `api_key_value`, for `api_key_header`.
    ApiKey,
    /// `bearer_token_value`, for `bearer_token`.
    BearerToken,
    /// `client_secret_value`, for `oauth2_client_credentials`, `json_token_exchange` and, optionally, `oauth2_jwt_bearer`.
    ClientSecret,
    /// `private_key_value`, for `oauth2_jwt_bearer`.
    PrivateKey,
    /// `exchange_secret_value`, for `bearer_token_exchange`.
    ExchangeSecret,
}

impl SecretName {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ApiKey, Self::BearerToken, Self::ClientSecret, Self::PrivateKey, Self::ExchangeSecret];

    /// The short name: `api_key`, `bearer_token`, `client_secret`, `private_key`, `exchange_secret`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::BearerToken => "bearer_token",
            Self::ClientSecret => "client_secret",
            Self::PrivateKey => "private_key",
            Self::ExchangeSecret => "exchange_secret",
        }
    }

    /// The field of `auth` that carries it in a create body: the short name with `_value`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key_value",
            Self::BearerToken => "bearer_token_value",
            Self::ClientSecret => "client_secret_value",
            Self::PrivateKey => "private_key_value",
            Self::ExchangeSecret => "exchange_secret_value",
        }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no secret's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no secret {0:?}; the names are api_key, bearer_token, client_secret, private_key, exchange_secret")]
pub struct UnknownSecretName(String);

impl FromStr for SecretName {
    type Err = UnknownSecretName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text || name.field() == text)
            .ok_or_else(|| UnknownSecretName(text.to_owned()))
    }
}

/// The secrets of one integration. `Debug` shows which there are, never a value.
#[derive(Clone, Default)]
pub struct Secrets(BTreeMap<SecretName, SecretString>);

impl Secrets {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With that secret added or replaced.
    #[must_use]
    pub fn with(mut self, name: SecretName, value: impl Into<SecretString>) -> Self {
        self.insert(name, value);
        self
    }

    /// With all of those added, in place of what is there under their names.
    #[must_use]
    pub fn with_all(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().map(|(name, value)| (*name, value.clone())));
        self
    }

    /// Adds or replaces a secret.
    pub fn insert(&mut self, name: SecretName, value: impl Into<SecretString>) {
        self.0.insert(name, value.into());
    }

    /// The secret of that name.
    pub fn get(&self, name: SecretName) -> Option<&SecretString> {
        self.0.get(&name)
    }

    /// The names and values, in the order of [`SecretName::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (SecretName, &SecretString)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|name| (name.as_str(), format_args!("***")))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_only() {
        let secrets = Secrets::new().with(SecretName::ApiKey, "sk-canary-1234");
        assert_eq!(format!("{secrets:?}"), "{\"api_key\": ***}");
    }

    #[test]
    fn names_read_in_both_spellings() {
        for name in SecretName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
            assert_eq!(name.field().parse(), Ok(name));
        }
        assert!("password".parse::<SecretName>().is_err());
    }
}
