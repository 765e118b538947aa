//! The curl lines that a first start prints: as they stand, in any POSIX shell.

use callout::{Json, json::ObjectBuilder};

use super::demo::Demo;
use crate::show::quoted;

/// Lines that create an integration, test it with every stage, list, get and delete it.
pub(super) fn curl(origin: &str, workspace: &str, key: &str, demo: Option<&Demo>) -> String {
    let (body, endpoint, params) = match demo {
        Some(demo) => {
            let params = r#"{"params": {"owner": "octocat", "repo": "hello-world", "name": "bug"}}"#;
            (demo.integration().clone(), "get-label", params)
        }
        None => (public_example(), "get-repository", r#"{"params": {"owner": "rust-lang", "repo": "log"}}"#),
    };
    let body = quoted(&body.to_string());
    let params = quoted(params);
    let json = "-H 'Content-Type: application/json'";
    let create = format!("curl -s $API/integrations -H \"$KEY\" {json} -d {body}");
    let call = "curl -s $API/integrations/$ID/endpoints";
    let lines = [
        format!("API={origin}/v1/{workspace}"),
        format!("KEY='Authorization: Bearer {key}'"),
        format!("ID=$({create} | cut -d '\"' -f 4); echo $ID"),
        // The whole breakdown, and the text alone.
        format!("{call}/{endpoint}/test -H \"$KEY\" {json} -d {params}; echo"),
        format!("{call}/{endpoint}/execute -H \"$KEY\" {json} -d {params}; echo"),
        "curl -s -X POST $API/integrations/$ID/test-connection -H \"$KEY\"; echo".to_owned(),
        "curl -s $API/integrations -H \"$KEY\"; echo".to_owned(),
        "curl -s $API/integrations/$ID -H \"$KEY\"; echo".to_owned(),
        "curl -s -i -X DELETE $API/integrations/$ID -H \"$KEY\"".to_owned(),
    ];
    lines.map(|line| format!("  {line}")).join("\n")
}

fn public_example() -> Json {
    let schema: Json = ObjectBuilder::new().with("type", "object").into();
    let endpoint = ObjectBuilder::new()
        .with("name", "get-repository")
        .with("description", "Describes a repository")
        .with("method", "GET")
        .with("path", "/repos/{owner}/{repo}")
        .with("input_schema", schema)
        .with("result_template", "{{ response.full_name }}: {{ response.description }}");
    ObjectBuilder::new()
        .with("name", "github")
        .with("display_name", "GitHub")
        .with("base_url", "https://api.github.com")
        .with("endpoints", vec![Json::from(endpoint)])
        .into()
}
