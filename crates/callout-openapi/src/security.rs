//! From security schemes to one of the six ways to authenticate.

use std::{cmp::Reverse, collections::BTreeMap};

use callout_core::{
    config::{AuthConfig, AuthType, rules},
    fault::Faults,
    json::Json,
};
use url::Url;

use crate::{
    document::{Document, Found},
    operation::Operation,
    pointer::Pointer,
    report::Findings,
};

/// Stands for a client id that is not known.
pub const CLIENT_ID_TO_BE_GIVEN: &str = "CLIENT_ID";

/// How an integration authenticates, and what its secret is.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// The scheme's name; none where the caller has chosen.
    pub(crate) scheme: Option<String>,
    pub(crate) auth: AuthConfig,
    pub(crate) secret: String,
}

/// The schemes that are needed together: name to scopes.
type Requirement = BTreeMap<String, Vec<String>>;

/// Chooses the scheme that most of the operations can be called with; of equals the one that is
/// first in `order`. What is relative is so to `base`, the document's own. `None` where none is needed, or none can be
/// carried over; `refusal` says why an integration cannot have what a scheme became.
pub(crate) fn choose(
    document: &Document,
    operations: &[&Operation<'_>],
    order: &[String],
    base: Option<&str>,
    client_id: Option<&str>,
    refusal: &dyn Fn(&AuthConfig) -> Option<String>,
    findings: &mut Findings,
) -> Option<Chosen> {
    let mut counted = counted(document, operations);
    counted.sort_by_cached_key(|(name, count, _)| {
        let at = order.iter().position(|other| other == name).unwrap_or(order.len());
        (Reverse(*count), at)
    });
    for (name, _, scopes) in counted {
        let carried = carry(document, &name, &scopes, base, client_id, findings);
        let loads = |chosen: Chosen| match refusal(&chosen.auth) {
            None => Ok(chosen),
            Some(why) => Err((place_of(&name), why)),
        };
        match carried.and_then(loads) {
            Ok(chosen) => return Some(chosen),
            Err((place, why)) => findings.note(&place, format!("the security scheme {name:?} cannot be used: {why}")),
        }
    }
    None
}

/// The schemes of operations: those that most of them can be called with come first, of equals the one that is named
/// first.
pub(crate) fn order(document: &Document, operations: &[&Operation<'_>]) -> Vec<String> {
    let mut counted = counted(document, operations);
    // A stable sort: of equals the first named stays first.
    counted.sort_by_key(|(_, count, _)| Reverse(*count));
    counted.into_iter().map(|(name, ..)| name).collect()
}

/// The schemes of operations as they are named, how often each is, and its scopes.
fn counted(document: &Document, operations: &[&Operation<'_>]) -> Vec<(String, usize, Vec<String>)> {
    let mut counted: Vec<(String, usize, Vec<String>)> = Vec::new();
    for operation in operations {
        for requirement in requirements(document, operation).unwrap_or_default() {
            for (name, scopes) in requirement {
                let at = counted.iter().position(|(other, ..)| *other == name).unwrap_or_else(|| {
                    counted.push((name, 0, Vec::new()));
                    counted.len() - 1
                });
                let entry = &mut counted[at];
                entry.1 += 1;
                for scope in scopes {
                    if !entry.2.contains(&scope) {
                        entry.2.push(scope);
                    }
                }
            }
        }
    }
    counted
}

/// Reports what an operation needs and does not get.
pub(crate) fn check(document: &Document, operation: &Operation<'_>, chosen: Option<&Chosen>, findings: &mut Findings) {
    let Some(requirements) = requirements(document, operation) else { return };
    if chosen.is_some_and(|chosen| chosen.scheme.is_none()) || requirements.is_empty() {
        return;
    }
    let name = chosen.and_then(|chosen| chosen.scheme.as_deref());
    let is_met = |requirement: &Requirement| {
        requirement.is_empty() || (requirement.len() == 1 && requirement.keys().next().map(String::as_str) == name)
    };
    if requirements.iter().any(is_met) {
        return;
    }
    let wanted: Vec<String> = requirements
        .iter()
        .map(|requirement| requirement.keys().map(String::as_str).collect::<Vec<_>>().join(" and "))
        .collect();
    let has = name.map_or_else(|| "without".to_owned(), |name| format!("with {name:?} only"));
    let place = operation.node.get("security").map_or_else(|| Pointer::root().below("security"), |found| found.place);
    findings.loss(&place, format!("needs {}, and is called {has}", wanted.join(", or ")));
}

/// What an operation needs: alternatives of schemes. `None` where nothing is said.
fn requirements(document: &Document, operation: &Operation<'_>) -> Option<Vec<Requirement>> {
    let written = operation.node.node.get("security").or_else(|| document.root().get("security"))?.as_array()?;
    let one = |requirement: &Json| -> Option<Requirement> {
        let schemes = requirement.as_object()?.iter();
        Some(
            schemes
                .map(|(name, scopes)| {
                    let scopes = scopes.as_array().into_iter().flatten().filter_map(Json::as_str);
                    (name.to_owned(), scopes.map(str::to_owned).collect())
                })
                .collect(),
        )
    };
    Some(written.iter().filter_map(one).collect())
}

fn place_of(scheme: &str) -> Pointer {
    Pointer::root().below("components").below("securitySchemes").below(scheme)
}

fn carry(
    document: &Document,
    name: &str,
    scopes: &[String],
    base: Option<&str>,
    client_id: Option<&str>,
    findings: &mut Findings,
) -> Result<Chosen, (Pointer, String)> {
    let place = place_of(name);
    let fail = |why: &str| (place.clone(), why.to_owned());
    let node = place.get(document.root()).ok_or_else(|| fail("it is not described"))?;
    let found = document.follow(node, &place).map_err(|why| fail(&why))?;
    let (auth, secret) = match found.text("type").unwrap_or_default() {
        "apiKey" => api_key(&found).map_err(|why| fail(&why))?,
        "http" => http(&found).map_err(|why| fail(&why))?,
        "oauth2" => oauth2(&found, scopes, base, client_id, findings).map_err(|why| fail(&why))?,
        "openIdConnect" => {
            (AuthConfig::new(AuthType::BearerToken), "an access token of the OpenID provider".to_owned())
        }
        "mutualTLS" => {
            return Err(fail("a client certificate is the program's or the host's affair (`--client-identity`)"));
        }
        other => return Err(fail(&format!("its type {other:.50?} is not known"))),
    };
    Ok(Chosen { scheme: Some(name.to_owned()), auth, secret })
}

fn api_key(scheme: &Found<'_>) -> Result<(AuthConfig, String), String> {
    let name = scheme.text("name").unwrap_or_default();
    match scheme.text("in").unwrap_or_default() {
        "header" => {}
        other => return Err(format!("it is an API key in the {other:.20}, and only headers carry secrets")),
    }
    let mut faults = Faults::new();
    rules::header_name(name, &mut faults);
    if let Some(fault) = faults.iter().next() {
        return Err(format!("its header {name:.50?} {}", fault.message));
    }
    let mut auth = AuthConfig::new(AuthType::ApiKeyHeader);
    auth.header_name = Some(name.to_owned());
    Ok((auth, format!("what the header {name} carries, all of it")))
}

fn http(scheme: &Found<'_>) -> Result<(AuthConfig, String), String> {
    let kind = scheme.text("scheme").unwrap_or_default().to_ascii_lowercase();
    match kind.as_str() {
        "bearer" => Ok((AuthConfig::new(AuthType::BearerToken), "the bearer token".to_owned())),
        "basic" => {
            let mut auth = AuthConfig::new(AuthType::ApiKeyHeader);
            auth.header_name = Some("Authorization".to_owned());
            Ok((auth, "`Basic ` and the Base64 of USER:PASSWORD".to_owned()))
        }
        other => Err(format!("there is no HTTP scheme {other:.20?} here, only bearer and basic")),
    }
}

fn oauth2(
    scheme: &Found<'_>,
    scopes: &[String],
    base: Option<&str>,
    client_id: Option<&str>,
    findings: &mut Findings,
) -> Result<(AuthConfig, String), String> {
    let flows = scheme.get("flows").ok_or("it has no flows")?;
    let Some(flow) = flows.get("clientCredentials") else {
        findings.note(
            &flows.place,
            "its flows need a person: an access token is obtained elsewhere and given as a bearer token",
        );
        return Ok((AuthConfig::new(AuthType::BearerToken), "an OAuth 2.0 access token".to_owned()));
    };
    let written = flow.text("tokenUrl").filter(|url| !url.is_empty()).ok_or("it has no tokenUrl")?;
    // Read as a URL, they would be encoded.
    if written.contains(['{', '}']) {
        return Err("its tokenUrl has placeholders, and nothing says what for".to_owned());
    }
    let absolute = Url::parse(written).ok();
    let url = absolute.or_else(|| below(base?, written)).ok_or("its tokenUrl is no absolute URL")?;
    let mut faults = Faults::new();
    if rules::http_url(url.as_str(), rules::UrlQuery::Allowed, &mut faults).is_none() {
        return Err("its tokenUrl cannot be used".to_owned());
    }
    let mut auth = AuthConfig::new(AuthType::OAuth2ClientCredentials);
    auth.token_url = Some(url.into());
    auth.client_id = Some(client_id.unwrap_or(CLIENT_ID_TO_BE_GIVEN).to_owned());
    if client_id.is_none() {
        findings.note(&flow.place, format!("put your client id in place of `{CLIENT_ID_TO_BE_GIVEN}`"));
    }
    let known = flow.node.get("scopes").and_then(Json::as_object);
    let usable = |scope: &&String| {
        !scope.is_empty()
            && !scope.chars().any(|found| found.is_whitespace() || found.is_control())
            && known.is_none_or(|known| known.contains(scope))
    };
    let scopes: Vec<String> = scopes.iter().filter(usable).cloned().collect();
    auth.scopes = (!scopes.is_empty()).then_some(scopes);
    Ok((auth, "the client's secret".to_owned()))
}

/// A relative URL at a base URL, behind whose path it stands as the paths of operations do.
fn below(base: &str, url: &str) -> Option<Url> {
    Url::parse(&format!("{base}/")).ok()?.join(url).ok()
}
