//! What becomes of a curl line: the endpoint, the params that send the same, and what was taken out.

mod options;
mod shell;

use callout_core::{
    json::Json,
    limits::Limits,
    secret::{SecretName, Secrets},
};
use callout_openapi::{CurlImport, import_curl, lean};

fn run(line: &str) -> Result<CurlImport, String> {
    let check = |config: &callout_core::config::IntegrationConfig, faults: &mut callout_core::fault::Faults| {
        let needed = config.auth.as_ref().map(|auth| auth.kind.required_secret());
        let given = SecretName::ALL.into_iter().filter(|name| Some(*name) == needed);
        config.check(&given.fold(Secrets::new(), |all, name| all.with(name, "s")), &Limits::default(), faults);
    };
    import_curl(line, None, None, &check).map_err(|error| error.to_string())
}

/// Everything that came of a line, but for the names.
fn told(line: &str) -> Vec<String> {
    let made = match run(line) {
        Ok(made) => made,
        Err(why) => return vec![format!("! {why}")],
    };
    let written = lean(&made.integration);
    let endpoint = written.get("endpoints").and_then(|all| all.as_array()?.first().cloned()).unwrap_or_default();
    let text = |holder: &Json, name: &str| {
        holder.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let mut told = vec![format!(
        "{} {}{}",
        text(&endpoint, "method").unwrap_or_default(),
        text(&written, "base_url").unwrap_or_default(),
        text(&endpoint, "path").unwrap_or_default()
    )];
    told.extend(text(&written, "auth"));
    told.extend(text(&endpoint, "body_format"));
    told.extend(text(&endpoint, "headers"));
    told.push(made.params.to_string());
    told.extend(made.secrets.iter().map(|secret| format!("{}: {}", secret.secret, secret.what)));
    told.extend(made.withheld.iter().map(|name| format!("? {name}")));
    told.extend(made.losses.iter().map(|loss| format!("- {loss}")));
    told.extend(made.notes.iter().map(|note| format!(". {note}")));
    told
}

const FOR_WINDOWS: &str =
    "! the line is written for a shell of Windows (cmd or PowerShell): copy it for bash, or POSIX";

#[test]
fn lines_become_endpoints() {
    let table: [(&str, &[&str]); 68] = [
        ("curl https://api.shop.example/things", &["GET https://api.shop.example/things", "{}"]),
        (
            "$ curl -sSL 'https://shop.example/things?page=2&q=a%20b&tag=x&tag=y'",
            &[
                "GET https://shop.example/things{?page,q,tag}",
                r#"{"page":2,"q":"a b","tag":["x","y"]}"#,
                "- --location: redirects are followed within one origin only",
            ],
        ),
        (
            "curl https://shop.example/users/42/posts/0a1b2c3d-0000-4000-8000-00000000ffff",
            &[
                "GET https://shop.example/users/{user_id}/posts/{post_id}",
                r#"{"user_id":"42","post_id":"0a1b2c3d-0000-4000-8000-00000000ffff"}"#,
                ". the segment \"42\" of the path is the param \"user_id\"",
                ". the segment \"0a1b2c3d-0000-4000-8000-00000000ffff\" of the path is the param \"post_id\"",
            ],
        ),
        (
            r#"curl -X PUT https://shop.example/a -H 'Content-Type: application/json' -H 'X-A: b' -d '{"n": 1.50, "l": ["x"]}'"#,
            &["PUT https://shop.example/a", r#"{"X-A":"b"}"#, r#"{"n":1.50,"l":["x"]}"#],
        ),
        (
            r#"curl https://shop.example/a --json '{"a": {"b": true}}'"#,
            &["POST https://shop.example/a", r#"{"a":{"b":true}}"#],
        ),
        (r#"curl https://shop.example/a -d '{"a": 1}'"#, &["POST https://shop.example/a", r#"{"a":1}"#]),
        (
            "curl https://shop.example/a -d a=1 -d 'b=x+y' --data-urlencode 'c=1&2'",
            &["POST https://shop.example/a", "form", r#"{"a":1,"b":"x y","c":"1&2"}"#],
        ),
        (
            "curl -X POST 'https://shop.example/things/7?name:exact=a&thing_id=3&page=2&%2B=x&%2B=y'",
            &[
                "POST https://shop.example/things/{thing_id}?name%3Aexact={query_name_exact}&thing_id={query_thing_id}{?page}",
                r#"{"thing_id":"7","query_name_exact":"a","query_thing_id":3,"page":2}"#,
                "- curl sends no body, and the endpoint an empty JSON object",
                "- the query key \"+\" cannot be a param and is left out",
                ". the segment \"7\" of the path is the param \"thing_id\"",
                ". the query key \"name:exact\" is the param \"query_name_exact\"",
                ". the query key \"thing_id\" is the param \"query_thing_id\"",
            ],
        ),
        (
            "curl 'https://shop.example/a?x=1&a%20b=2' -d x=2",
            &[
                "POST https://shop.example/a?x={query_x}&a%20b={query_a_b}",
                "form",
                r#"{"x":2,"query_x":1,"query_a_b":2}"#,
                ". the query key \"x\" is the param \"query_x\"",
                ". the query key \"a b\" is the param \"query_a_b\"",
            ],
        ),
        (
            r"curl https://shop.example/a -d $'text=line 1\nline 2' --data-ascii $'b=\r\n'",
            &["POST https://shop.example/a", "form", r#"{"text":"line 1\nline 2","b":"\r\n"}"#],
        ),
        ("curl 'https://shop.example/a?name:exact=a'", &["GET https://shop.example/a", r#"{"name:exact":"a"}"#]),
        ("curl -G https://shop.example/a -d q=1", &["GET https://shop.example/a{?q}", r#"{"q":1}"#]),
        (
            r#"curl -XPATCH https://shop.example/a -H "Content-Type: application/merge-patch+json" -d '{"a":null}'"#,
            &["PATCH https://shop.example/a", r#"{"Content-Type":"application/merge-patch+json"}"#, r#"{"a":null}"#],
        ),
        (
            "curl -H 'Authorization: Bearer canary' https://shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"bearer_token"}"#,
                "{}",
                "bearer_token: the token behind `Bearer` in the line",
            ],
        ),
        (
            "curl -H 'Authorization: Token canary' https://shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"api_key_header","header_name":"Authorization"}"#,
                "{}",
                "api_key: what the header Authorization carries, all of it",
            ],
        ),
        (
            "curl -u me:canary https://shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"api_key_header","header_name":"Authorization"}"#,
                "{}",
                "api_key: `Basic ` and the Base64 of USER:PASSWORD (the line's -u)",
            ],
        ),
        // A header that is written out stands in place of curl's own.
        (
            "curl -u me:canary --oauth2-bearer canary -H 'Authorization: Token canary' https://me:canary@shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"api_key_header","header_name":"Authorization"}"#,
                "{}",
                "api_key: what the header Authorization carries, all of it",
            ],
        ),
        (
            "curl --aws-sigv4 aws:amz:us-east-1:s3 -u me:canary https://shop.example/",
            &["GET https://shop.example", "{}", "- --aws-sigv4: there is no such way to authenticate"],
        ),
        (
            "curl --digest -u me:canary https://shop.example/",
            &["GET https://shop.example", "{}", "- --digest: there is no such way to authenticate"],
        ),
        (
            "curl -H 'X-Api-Key: canary' --ntlm https://me:canary@shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"api_key_header","header_name":"X-Api-Key"}"#,
                "{}",
                "api_key: what the header X-Api-Key carries, all of it",
                "- --ntlm: there is no such way to authenticate",
            ],
        ),
        (
            "curl -u : --negotiate https://shop.example/",
            &["GET https://shop.example", "{}", "- --negotiate: there is no such way to authenticate"],
        ),
        (
            "curl --expand-header 'Authorization: Bearer {{canary}}' https://shop.example/",
            &[
                "GET https://shop.example",
                r#"{"type":"bearer_token"}"#,
                "{}",
                "bearer_token: the token behind `Bearer` in the line",
                "- --expand-header: variables are not put in",
            ],
        ),
        (
            "curl https://me:canary@shop.example:8443/",
            &[
                "GET https://shop.example:8443",
                r#"{"type":"api_key_header","header_name":"Authorization"}"#,
                "{}",
                "api_key: `Basic ` and the Base64 of USER:PASSWORD (the line's -u)",
            ],
        ),
        (
            "curl -H 'X-Api-Key: canary' -H 'X-Auth-Token: canary' -b sid=canary 'https://shop.example/?api_key=canary&a=1'",
            &[
                "GET https://shop.example{?api_key,a}",
                r#"{"type":"api_key_header","header_name":"X-Api-Key"}"#,
                r#"{"a":1}"#,
                "api_key: what the header X-Api-Key carries, all of it",
                "? api_key",
                "- there is one secret only: left out is what the header X-Auth-Token carries, all of it",
                "- cookies (-b) are not sent: they are left out",
                ". the value of the query key \"api_key\" may be a secret: it is taken out, and a call gives it",
            ],
        ),
        (
            "curl 'https://shop.example/x?key=canary&sig=canary&q=1' -d sig=canary",
            &[
                "POST https://shop.example/x?sig={query_sig}{?key,q}",
                "form",
                r#"{"q":1}"#,
                "? sig",
                "? key",
                "? query_sig",
                ". the field \"sig\" may hold a secret: its value is taken out, a call gives it",
                ". the value of the query key \"key\" may be a secret: it is taken out, and a call gives it",
                ". the query key \"sig\" is the param \"query_sig\"",
                ". the value of the query key \"sig\" may be a secret: it is taken out, and a call gives it",
            ],
        ),
        (
            "curl -H 'X-Trace: 0123456789abcdefcanary' -H 'X-Auth-Key: canary' 'https://shop.example/?code=0123456789abcdefcanary&a=1'",
            &[
                "GET https://shop.example{?code,a}",
                r#"{"type":"api_key_header","header_name":"X-Auth-Key"}"#,
                r#"{"a":1}"#,
                "api_key: what the header X-Auth-Key carries, all of it",
                "? code",
                "- there is one secret only: left out is what the header X-Trace carries, which looks like a secret",
                ". the value of the query key \"code\" may be a secret: it is taken out, and a call gives it",
            ],
        ),
        (
            "curl -H 'Idempotency-Key: 0123456789abcdef01234' -A 'app/0123456789abcdef01234' 'https://shop.example/x?sort_key=a'",
            &[
                "GET https://shop.example/x{?sort_key}",
                r#"{"Idempotency-Key":"0123456789abcdef01234","User-Agent":"app/0123456789abcdef01234"}"#,
                r#"{"sort_key":"a"}"#,
            ],
        ),
        (
            "curl -e 'https://shop.example/things?page=2' https://shop.example/x",
            &["GET https://shop.example/x", r#"{"Referer":"https://shop.example/things?page=2"}"#, "{}"],
        ),
        (
            "curl -H 'Referer: http://shop.example/reset?token=canary' https://shop.example/x",
            &["GET https://shop.example/x", "{}", "- the header Referer may hold a secret and is left out"],
        ),
        (
            r#"curl https://shop.example/login -d '{"user": "me", "password": "canary", "deep": [{"secret": "canary"}]}'"#,
            &[
                "POST https://shop.example/login",
                r#"{"user":"me"}"#,
                "? password",
                "? deep",
                ". the field \"password\" may hold a secret: its value is taken out, a call gives it",
                ". the field \"deep\" may hold a secret: its value is taken out, a call gives it",
            ],
        ),
        (
            r#"curl https://shop.example/chat -d '{"max_tokens": 9, "stop_token_ids": [1], "secret": null, "token": {"ttl": 1}, "pageToken": "x", "auth": {"a": ["canary"]}}'"#,
            &[
                "POST https://shop.example/chat",
                r#"{"max_tokens":9,"stop_token_ids":[1],"secret":null,"token":{"ttl":1},"pageToken":"x"}"#,
                "? auth",
                ". the field \"auth\" may hold a secret: its value is taken out, a call gives it",
            ],
        ),
        (
            r#"curl https://shop.example/chat -d '{"password": 123456, "apiKey": 98.5, "auth": {"password": 1}, "maxTokens": 9, "pageToken": 2, "n": 3}'"#,
            &[
                "POST https://shop.example/chat",
                r#"{"maxTokens":9,"pageToken":2,"n":3}"#,
                "? password",
                "? apiKey",
                "? auth",
                ". the field \"password\" may hold a secret: its value is taken out, a call gives it",
                ". the field \"apiKey\" may hold a secret: its value is taken out, a call gives it",
                ". the field \"auth\" may hold a secret: its value is taken out, a call gives it",
            ],
        ),
        (
            "curl 'https://shop.example/x?maxOutputTokens=9&next_token=0123456789abcdef01234&%24skiptoken=a' -d 'password=123&n_tokens=5&continuation-token=b'",
            &[
                "POST https://shop.example/x{?maxOutputTokens,next_token,$skiptoken}",
                "form",
                r#"{"n_tokens":5,"continuation-token":"b","maxOutputTokens":9,"next_token":"0123456789abcdef01234","$skiptoken":"a"}"#,
                "? password",
                ". the field \"password\" may hold a secret: its value is taken out, a call gives it",
            ],
        ),
        (
            "curl https://hooks.example/services/T0/canaryX8sd9f7sd9f87sdf -d '{}'",
            &[
                "POST https://hooks.example/services/T0/{t0_id}",
                "{}",
                "? t0_id",
                ". a segment of the path may be a secret: it is the param \"t0_id\", and a call gives it",
            ],
        ),
        (
            "curl https://shop.example/bot123456789:canary_X8sd-9f7sd_9f87sdf/getMe",
            &[
                "GET https://shop.example/{id}/getMe",
                "{}",
                "? id",
                ". a segment of the path may be a secret: it is the param \"id\", and a call gives it",
            ],
        ),
        // What is made of words, and a version or a verb beside them, is no secret.
        (
            r#"curl 'https://shop.example/v1beta/models/gemini-2.0-flash-001:generateContent?fields=a-2-list-of-organizationMemberships' -d '{"n":1}'"#,
            &[
                "POST https://shop.example/v1beta/models/gemini-2.0-flash-001:generateContent{?fields}",
                r#"{"n":1,"fields":"a-2-list-of-organizationMemberships"}"#,
            ],
        ),
        (
            "curl https://shop.example/models/claude-3-5-sonnet@20240620:streamRawPredict -d '{}'",
            &["POST https://shop.example/models/claude-3-5-sonnet@20240620:streamRawPredict", "{}"],
        ),
        (
            "curl -X DELETE https://shop.example/a -d a=1 -k",
            &[
                "DELETE https://shop.example/a",
                "{}",
                "- --insecure: certificates are always checked",
                "- a body cannot be sent with DELETE: it is left out",
            ],
        ),
        (
            "\n# a comment\nBASE=https://shop.example\ncurl https://shop.example/a \\\n  -d a=1\ncurl https://shop.example/b",
            &["POST https://shop.example/a", "form", r#"{"a":1}"#],
        ),
        (
            "curl https://shop.example/a -d a=1 --next https://shop.example/b -d b=2",
            &["POST https://shop.example/a", "form", r#"{"a":1}"#, "- of several requests the first is taken"],
        ),
        (
            "curl -s https://shop.example/a -k:X DELETE https://shop.example/b",
            &[
                "GET https://shop.example/a",
                "{}",
                "- --insecure: certificates are always checked",
                "- of several requests the first is taken",
            ],
        ),
        (
            "curl 'shop.example/login?next=https://other.example/a'",
            &["GET http://shop.example/login{?next}", r#"{"next":"https://other.example/a"}"#],
        ),
        (
            "curl https://shop.example/a --data-urlencode 'a@b=c&d' --data-urlencode 'e=f@g'",
            &["POST https://shop.example/a", "form", r#"{"a@b":"c&d","e":"f@g"}"#],
        ),
        (
            "curl https://shop.example/a --data-urlencode a@b",
            &["! --data-urlencode reads a file: write what is in it in place of a@b"],
        ),
        ("curl -F a=@b https://shop.example/", &["! a multipart body (-F) cannot be sent by an endpoint"]),
        ("curl -d @file https://shop.example/", &["! --data reads a file: write what is in it in place of @file"]),
        (
            r#"curl -d "Backup done" https://shop.example/"#,
            &["! a body of text cannot be sent by an endpoint: it is neither a JSON object nor a form"],
        ),
        (
            r#"curl --data-raw '<a b="1"/>' https://shop.example/"#,
            &["! a body of text cannot be sent by an endpoint: it is neither a JSON object nor a form"],
        ),
        (
            r#"curl --data-raw '{"token": "a canary=",}' https://shop.example/"#,
            &["! a body of text cannot be sent by an endpoint: it is neither a JSON object nor a form"],
        ),
        (
            "curl -d 'grant_type=x&flag' https://shop.example/a",
            &["POST https://shop.example/a", "form", r#"{"grant_type":"x","flag":""}"#],
        ),
        (
            "curl -H 'Content-Type: application/x-www-form-urlencoded' -d 'grant_type=x&flag' https://shop.example/a",
            &["POST https://shop.example/a", "form", r#"{"grant_type":"x","flag":""}"#],
        ),
        (
            "curl -H 'Content-Type: application/x-www-form-urlencoded' -d flag https://shop.example/a",
            &["POST https://shop.example/a", "form", r#"{"flag":""}"#],
        ),
        // A media type is sent as it is written.
        (
            r#"curl -H 'Content-Type: application/json; charset=utf-8' -d '{"a":1}' https://shop.example/a"#,
            &["POST https://shop.example/a", r#"{"Content-Type":"application/json; charset=utf-8"}"#, r#"{"a":1}"#],
        ),
        (
            "curl -H 'content-type: application/x-www-form-urlencoded; charset=UTF-8' -d a=1 https://shop.example/a",
            &[
                "POST https://shop.example/a",
                "form",
                r#"{"content-type":"application/x-www-form-urlencoded; charset=UTF-8"}"#,
                r#"{"a":1}"#,
            ],
        ),
        (
            r#"curl -H 'Content-Type: application/x-www-form-urlencoded' -d '{"a":1}' https://shop.example/a"#,
            &["POST https://shop.example/a", r#"{"Content-Type":"application/x-www-form-urlencoded"}"#, r#"{"a":1}"#],
        ),
        (
            "curl -H 'Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1' -d 'a=%E9' https://shop.example/a",
            &[
                "POST https://shop.example/a",
                "form",
                r#"{"Content-Type":"application/x-www-form-urlencoded; charset=ISO-8859-1"}"#,
                "{\"a\":\"\u{fffd}\"}",
                "- bytes of the body are no UTF-8: U+FFFD is sent in place of them",
            ],
        ),
        (
            "curl -G 'https://shop.example/a' -d 'b=%FF'",
            &[
                "GET https://shop.example/a{?b}",
                "{\"b\":\"\u{fffd}\"}",
                "- bytes of the query are no UTF-8: U+FFFD is sent in place of them",
            ],
        ),
        ("curl -d 'q=R&D' https://shop.example/a", &["POST https://shop.example/a", "form", r#"{"q":"R","D":""}"#]),
        (
            r#"curl -d 'j={"user":"a&b"}' https://shop.example/a"#,
            &["POST https://shop.example/a", "form", r#"{"j":"{\"user\":\"a","b\"}":""}"#],
        ),
        ("curl -d '[]=1' https://shop.example/a", &["POST https://shop.example/a", "form", r#"{"[]":1}"#]),
        ("curl -d 'a=&' -d b= https://shop.example/x", &["POST https://shop.example/x", "form", r#"{"a":"","b":""}"#]),
        ("curl --json '[1]' https://shop.example/", &["! the body is no JSON object, and only objects can be sent"]),
        ("curl -I https://shop.example/", &["! HEAD is no method of an endpoint"]),
        ("curl ^\"https://shop.example/a?b=1^&c=2^\" ^\r\n  -H ^\"x: y^\"", &[FOR_WINDOWS]),
        ("curl \"https://shop.example/a\" ^\n  -H \"x: y\"", &[FOR_WINDOWS]),
        ("curl.exe https://shop.example/a `\r\n  -H 'x: y'", &[FOR_WINDOWS]),
        ("curl.exe https://shop.example/a -d \"{`\"a`\":1}\"", &[FOR_WINDOWS]),
        ("wget https://shop.example/", &["! is no curl command line: it does not begin with `curl`"]),
    ];
    for (line, expected) in table {
        let found = told(line);
        assert_eq!(found, expected, "\n{line}\n{}", found.join("\n"));
    }
}

#[test]
fn brackets_of_a_url_are_params_or_a_loss_where_curl_does_not_take_them_for_text() {
    const LOSS: &str =
        "- curl makes URLs of what `{…}` and `[…]` list (but with --globoff): they are sent as they are written";
    let table: [(&str, &[&str]); 11] = [
        (
            "curl https://shop.example/users/{user}/things/{thing-id}?q=1",
            &[
                "GET https://shop.example/users/{user}/things/{thing-id}{?q}",
                r#"{"q":1}"#,
                "? user",
                "? thing-id",
                ". the segment \"{user}\" of the path is the param \"user\", and a call gives it",
                ". the segment \"{thing-id}\" of the path is the param \"thing-id\", and a call gives it",
            ],
        ),
        (
            "curl -X PUT https://shop.example/users/{name} -d name=x",
            &[
                "PUT https://shop.example/users/{name_2}",
                "form",
                r#"{"name":"x"}"#,
                "? name_2",
                ". the segment \"{name}\" of the path is the param \"name_2\", and a call gives it",
            ],
        ),
        (
            "curl 'https://shop.example/{kind}/{a,b}'",
            &[
                "GET https://shop.example/{kind}/%7Ba,b%7D",
                "{}",
                "? kind",
                LOSS,
                ". the segment \"{kind}\" of the path is the param \"kind\", and a call gives it",
            ],
        ),
        ("curl 'https://shop.example/{name}.json'", &["GET https://shop.example/%7Bname%7D.json", "{}", LOSS]),
        ("curl 'https://shop.example/a?id={id}'", &["GET https://shop.example/a{?id}", r#"{"id":"{id}"}"#, LOSS]),
        ("curl 'https://shop.example/a?n=[1-3]'", &["GET https://shop.example/a{?n}", r#"{"n":"[1-3]"}"#, LOSS]),
        ("curl 'https://shop.example/a?n=[a-z:2]'", &["GET https://shop.example/a{?n}", r#"{"n":"[a-z:2]"}"#, LOSS]),
        (
            "curl -sg 'https://shop.example/{name}?n=[1-3]'",
            &["GET https://shop.example/%7Bname%7D{?n}", r#"{"n":"[1-3]"}"#],
        ),
        ("curl --globoff 'https://shop.example/a?b={a,b}'", &["GET https://shop.example/a{?b}", r#"{"b":"{a,b}"}"#]),
        ("curl 'https://shop.example/%7Bname%7D'", &["GET https://shop.example/%7Bname%7D", "{}"]),
        (
            "curl 'http://[::1]:8080/a?page[size]=2&ids[]=7'",
            &["GET http://[::1]:8080/a{?page[size],ids[]}", r#"{"page[size]":2,"ids[]":7}"#],
        ),
    ];
    for (line, expected) in table {
        let found = told(line);
        assert_eq!(found, expected, "\n{line}\n{}", found.join("\n"));
    }
}

#[test]
fn no_secret_of_a_line_is_in_what_comes_of_it() {
    for line in [
        "curl -H 'Authorization: Bearer canary' https://shop.example/",
        "curl -H 'authorization: Basic canary' -u a:canary --oauth2-bearer canary https://b:canary@shop.example/?token=canary",
        "curl -H 'X-Api-Key: canary' -H 'Cookie: a=canary' -b canary https://shop.example/?sig=canary",
        r#"curl https://shop.example/canary0123456789abcdef -d '{"client_secret": "canary", "a": {"token": ["canary"]}}'"#,
        "curl https://shop.example/ -d 'password=canary&key=canary'",
        "curl -H 'X-Auth-Key: canary' -H 'X-Auth-Email: me@shop.example' https://shop.example/",
        "curl -H 'Ocp-Apim-Subscription-Key: canary' https://shop.example/",
        "curl -H 'x-functions-key: canary' https://shop.example/?subscription-key=canary",
        "curl -H 'DD-API-KEY: canary' -H 'DD-APPLICATION-KEY: canary' https://shop.example/?app_key=canary",
        "curl -H 'X-Proxy-Auth: canary' -H 'X-Plain: a canary0123456789abcdef' https://shop.example/",
        "curl -H 'referer: shop.example/?a=1&key=canary' https://shop.example/",
        "curl -e 'http://shop.example/#access_token=canary' https://shop.example/",
        "curl -e 'http://me:canary@shop.example/' https://shop.example/",
        "curl -G https://shop.example/ -d code=canary0123456789abcdef -d code=1",
    ] {
        let made = run(line).unwrap();
        let all = format!("{made:?}{}", lean(&made.integration)).replace("canary0123456789abcdef", "canary");
        assert!(!all.contains("canary"), "{line}\n{all}");
    }
}

#[test]
fn schemas_describe_what_the_line_has() {
    let made = run(
        r#"curl https://shop.example/things/7 -d '{"a": [1, 2], "b": [1, "x"], "c": {"d": null, "e": 1.5}, "f": {}}'"#,
    )
    .unwrap();
    let schema = Json::Object(made.integration.endpoints[0].input_schema.clone());
    assert_eq!(
        schema.to_string(),
        r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}},"b":{"type":"array"},"c":{"type":"object","properties":{"d":{},"e":{"type":"number"}}},"f":{"type":"object"},"thing_id":{"type":"string"}},"required":["a","b","c","f","thing_id"]}"#
    );
    assert_eq!(
        (made.integration.name.as_str(), made.integration.endpoints[0].name.as_str()),
        ("shop-example", "post-things-thing_id")
    );
    assert_eq!(made.integration.endpoints[0].description, "POST /things/{thing_id}");
    let made = run("curl 'https://shop.example/things/7?x=1&page=2' -d x=2").unwrap();
    let endpoint = &made.integration.endpoints[0];
    assert_eq!(endpoint.path, "/things/{thing_id}?x={query_x}{?page}");
    assert_eq!(endpoint.description, "POST /things/{thing_id}");
    let made = run("curl 'https://shop.example/a?api_key=123456&page=2&token=1&token=2'").unwrap();
    let schema = Json::Object(made.integration.endpoints[0].input_schema.clone());
    assert_eq!(
        schema.to_string(),
        r#"{"type":"object","properties":{"api_key":{"type":"string"},"page":{"type":"integer"},"token":{"type":"array","items":{"type":"integer"}}},"required":["api_key"],"additionalProperties":false}"#,
        "a secret is given as text, whatever the line's was, and each call gives it"
    );
}
