//! What the tour shows, in its order.

/// One call of the tour.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) why: &'static str,
    /// The endpoint.
    pub(super) yaml: &'static str,
    /// Whether the endpoint was not shown before.
    pub(super) shows_config: bool,
    pub(super) params: &'static str,
}

pub(super) const STEPS: &[Step] = &[
    Step {
        title: "Path, query, mapping, template",
        why: "Params fill the path and the query. Of 11 kB the model gets one line per issue.",
        yaml: include_str!("../../demo/steps/list-issues.yaml"),
        shows_config: true,
        params: r#"{"org": "octo-org", "state": "open", "per_page": 50}"#,
    },
    Step {
        title: "A JSON body",
        why: "What the path does not take goes into the body. One value of the answer is the result; it waits for\n\
              the end of the agent's turn.",
        yaml: include_str!("../../demo/steps/create-issue.yaml"),
        shows_config: true,
        params: r#"{"owner": "octocat", "repo": "hello-world", "title": "Found a bug", "labels": ["bug"]}"#,
    },
    Step {
        title: "A form body, with a constant field",
        why: "Injected fields are the integration's: the model neither sees nor overrides them.",
        yaml: include_str!("../../demo/steps/start-login.yaml"),
        shows_config: true,
        params: r#"{"scope": "repo", "client_id": "somebody-else"}"#,
    },
    Step {
        title: "Wrapped params",
        why: "A GraphQL endpoint: the params become its variables, the query is injected beside them.",
        yaml: include_str!("../../demo/steps/count-followers.yaml"),
        shows_config: true,
        params: r#"{"login": "octocat"}"#,
    },
    Step {
        title: "A filter",
        why: "Dotted paths, JSONPath and JSON Pointer say what is kept, in place.",
        yaml: include_str!("../../demo/steps/check-runs.yaml"),
        shows_config: true,
        params: r#"{"owner": "octocat", "repo": "hello-world", "ref": "main"}"#,
    },
    Step {
        title: "Never more than asked for",
        why: "A long result is cut; JSON is cut so that it stays JSON.",
        yaml: include_str!("../../demo/steps/search-code.yaml"),
        shows_config: true,
        params: r#"{"q": "addClass in:file"}"#,
    },
    Step {
        title: "A retry",
        why: "The upstream answers 503 with `Retry-After: 1`, then works again.",
        yaml: include_str!("../../demo/steps/last-commit.yaml"),
        shows_config: true,
        params: r#"{"owner": "octocat", "repo": "hello-world"}"#,
    },
    Step {
        title: "An error that a model can act on",
        why: "What the upstream says, with status and body.",
        yaml: include_str!("../../demo/steps/get-label.yaml"),
        shows_config: true,
        params: r#"{"owner": "octocat", "repo": "hello-world", "name": "no/such label"}"#,
    },
    Step {
        title: "Params that do not fit",
        why: "Every violation at once, before anything is sent.",
        yaml: include_str!("../../demo/steps/list-issues.yaml"),
        shows_config: false,
        params: r#"{"state": "ajar", "per_page": "many"}"#,
    },
    Step {
        title: "Params that would leave their path",
        why: "A value is one segment of the path, whatever a model writes into it.",
        yaml: include_str!("../../demo/steps/list-issues.yaml"),
        shows_config: false,
        params: r#"{"org": ".."}"#,
    },
    Step {
        title: "Secrets stay inside",
        why: "This upstream echoes the API key; the model does not get to see it.",
        yaml: include_str!("../../demo/steps/whoami.yaml"),
        shows_config: true,
        params: "{}",
    },
];

/// Integrations of every auth type; `ORIGIN`, `SECRET` and `PRIVATE_KEY` are filled in.
pub(super) const AUTH_TYPES: [(&str, &str); 6] = [
    ("api_key_header", include_str!("../../demo/auth/api_key_header.yaml")),
    ("bearer_token", include_str!("../../demo/auth/bearer_token.yaml")),
    ("oauth2_client_credentials", include_str!("../../demo/auth/oauth2_client_credentials.yaml")),
    ("json_token_exchange", include_str!("../../demo/auth/json_token_exchange.yaml")),
    ("oauth2_jwt_bearer", include_str!("../../demo/auth/oauth2_jwt_bearer.yaml")),
    ("bearer_token_exchange", include_str!("../../demo/auth/bearer_token_exchange.yaml")),
];
