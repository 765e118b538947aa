//! Secrets in AWS Systems Manager Parameter Store.

use aws_sdk_ssm::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{ParameterTier, ParameterType},
};
use callout_core::{
    secret::{ExposeSecret, SecretString},
    secret_store::{SecretStore, SecretStoreError},
};

/// Keeps each secret as a `SecureString` parameter of its path, encrypted with the account's key for
/// SSM. Parameter Store numbers the versions, and keeps the newest hundred.
///
/// It needs `ssm:PutParameter`, `ssm:GetParameter` and `ssm:DeleteParameter` on
/// `/{env}/integration-secrets/*`.
#[derive(Clone, Debug)]
pub struct SsmSecrets(Client);

impl SsmSecrets {
    /// Region and credentials as AWS programs take them: variables, the profile, the role of the
    /// machine or container. `endpoint` replaces AWS's own, for another that speaks its protocol.
    pub async fn from_environment(endpoint: Option<&str>) -> Self {
        let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest());
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        Self(Client::new(&loader.load().await))
    }
}

impl SecretStore for SsmSecrets {
    async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        let put = self
            .0
            .put_parameter()
            .name(path)
            .value(value.expose_secret())
            .r#type(ParameterType::SecureString)
            // Standard up to 4 kB, as most secrets are; advanced where a private key needs more.
            .tier(ParameterTier::IntelligentTiering)
            .overwrite(true);
        let done = put.send().await.map_err(|error| failed("put", &error))?;
        u64::try_from(done.version()).map_err(|_| unavailable("AWS SSM gave no version".to_owned()))
    }

    async fn get(&self, path: &str, version: u64) -> Result<SecretString, SecretStoreError> {
        let got = self.0.get_parameter().name(format!("{path}:{version}")).with_decryption(true).send().await;
        let got = match got {
            Ok(got) => got,
            Err(error) if matches!(error.code(), Some("ParameterNotFound" | "ParameterVersionNotFound")) => {
                return Err(SecretStoreError::NotFound);
            }
            Err(error) => return Err(failed("get", &error)),
        };
        let value = got.parameter.and_then(|parameter| parameter.value);
        value.map(SecretString::from).ok_or(SecretStoreError::NotFound)
    }

    async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        match self.0.delete_parameter().name(path).send().await {
            Err(error) if error.code() != Some("ParameterNotFound") => Err(failed("delete", &error)),
            _ => Ok(()),
        }
    }
}

/// Code and kind only: what AWS says of a value that it refuses may quote it.
fn failed<E: ProvideErrorMetadata, R>(what: &str, error: &SdkError<E, R>) -> SecretStoreError {
    let why = match (error.code(), error) {
        (Some(code), _) => code,
        (None, SdkError::TimeoutError(_)) => "it did not answer in time",
        (None, SdkError::DispatchFailure(_)) => "it cannot be reached, or there are no credentials",
        (None, _) => "its answer is not understood",
    };
    unavailable(format!("AWS SSM could not {what} a secret: {why}"))
}

fn unavailable(message: String) -> SecretStoreError {
    SecretStoreError::Unavailable { message, source: None }
}
