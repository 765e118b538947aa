//! `callout import` as a user sees it: what it writes where, what it says, how it exits; and that what it
//! writes passes `callout check`.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

fn callout(arguments: &[&str], input: &str) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_callout"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments reads nothing.
    drop(program.stdin.take().unwrap().write_all(input.as_bytes()));
    program.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent_at_first = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

const SHOP: &str = r"openapi: 3.0.3
info: { title: 'The Shop: things' }
servers: [{ url: 'https://shop.example/v1' }]
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }
security: [{ key: [] }]
paths:
  /things/{id}:
    get:
      tags: [things]
      operationId: getThing
      summary: 'Gets a thing: by its id'
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: fields, in: query, schema: { type: array, items: { type: string } } }
  /things:
    post:
      tags: [things]
      operationId: addThing
      summary: Adds a thing
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [name], properties: { name: { type: string } } } } }
  /upload:
    post:
      tags: [files]
      summary: Uploads a file
      requestBody: { required: true, content: { multipart/form-data: { schema: { type: object } } } }
  /files:
    get:
      tags: [files]
      parameters: [{ name: sid, in: cookie, schema: { type: string } }]
";

#[test]
fn a_document_becomes_yaml_that_is_good() {
    let folder = folder("import-yaml");
    let output = callout(&["import", "openapi", "-"], SHOP);
    assert!(output.status.success(), "{}", err(&output));
    assert_eq!(
        out(&output),
        r#"# --secret api_key=env:NAME gives what the header X-Key carries, all of it
name: the-shop-things
display_name: "The Shop: things"
base_url: https://shop.example/v1
auth: { type: api_key_header, header_name: X-Key }
endpoints:
  - name: getThing
    description: "Gets a thing: by its id."
    method: GET
    path: /things/{id}{?fields}
    input_schema:
      type: object
      properties:
        id: { type: integer }
        fields:
          type: array
          items: { type: string }
      required: [id]
      additionalProperties: false
  - name: addThing
    description: Adds a thing.
    method: POST
    path: /things
    input_schema:
      type: object
      properties:
        name: { type: string }
      required: [name]
  - name: get-files
    description: GET /files
    method: GET
    path: /files
    input_schema: { type: object, additionalProperties: false }
"#
    );
    assert_eq!(
        err(&output),
        "The Shop: things: 4 operations, 3 imported (1 with loss), 1 left out
  the-shop-things 3 endpoints at https://shop.example/v1
imported with loss:
  GET /files
    the cookie \"sid\" is not sent #/paths/~1files/get/parameters/0
left out:
  POST /upload
    a body of multipart/form-data cannot be sent #/paths/~1upload/post/requestBody
secret: --secret api_key=env:NAME gives what the header X-Key carries, all of it
"
    );
    for ending in ["yaml", "json"] {
        let file = folder.join(format!("shop.{ending}"));
        let file = file.to_str().unwrap();
        let output = callout(&["import", "openapi", "-", "-o", file], SHOP);
        assert!(output.status.success() && out(&output).is_empty(), "{}", err(&output));
        assert!(err(&output).ends_with(&format!("note: wrote {file}\n")), "{}", err(&output));
        assert_eq!(fs::read_to_string(file).unwrap().starts_with('{'), ending == "json");
        let checked = callout(&["check", file], "");
        assert_eq!(
            (checked.status.code(), out(&checked)),
            (Some(0), format!("{file}: good, once --secret api_key=… gives its secret\n"))
        );
        let tools = callout(&["tools", file, "--for", "mcp"], "");
        assert!(tools.status.success() && out(&tools).contains("addThing"), "{}", err(&tools));
        let sent = callout(
            &[
                "call",
                file,
                "getThing",
                "--param",
                "id=7",
                "--param",
                "fields=[\"a\",\"b\"]",
                "--dry-run",
                "--secret",
                "api_key=env:PATH",
            ],
            "",
        );
        assert!(
            out(&sent).contains("GET https://shop.example/v1/things/7?fields=a&fields=b\n"),
            "{}{}",
            out(&sent),
            err(&sent)
        );
    }
}

#[test]
fn what_is_asked_for_is_done_and_what_cannot_be_is_said() {
    let folder = folder("import-asked");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    // Several integrations go into a folder.
    let output = callout(&["import", "openapi", "-", "--split-by", "tag", "--name", "shop"], SHOP);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).contains("error: there are 2 integrations: name a folder to write them into (-o FOLDER/)\n"),
        "{}",
        err(&output)
    );
    let output = callout(&["import", "openapi", "-", "--split-by", "tag", "--name", "shop", "-o", &path("all/")], SHOP);
    assert!(output.status.success(), "{}", err(&output));
    let key = "--secret api_key=env:NAME gives what the header X-Key carries, all of it";
    let lines = format!("secret: shop-things: {key}\nsecret: shop-files: {key}\n");
    assert!(err(&output).contains(&lines), "{}", err(&output));
    let files = [path("all/shop-things.yaml"), path("all/shop-files.yaml")];
    assert!(callout(&["check", &files[0], &files[1]], "").status.success());
    // What there is one of is told as one.
    let output = callout(&["import", "openapi", "-", "--include", "op:getThing"], SHOP);
    let told = "The Shop: things: 1 of 4 operations, 1 imported, 0 left out\n  the-shop-things 1 endpoint at https://";
    assert!(err(&output).starts_with(told), "{}", err(&output));
    // Nothing is written that is not whole.
    let output = callout(&["import", "openapi", "-", "--strict", "-o", &path("strict.yaml")], SHOP);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output).ends_with("error: not everything can be carried over, and --strict is set: nothing is written\n")
    );
    assert!(!folder.join("strict.yaml").exists());
    let report = path("report.json");
    let whole = [
        "import",
        "openapi",
        "-",
        "--strict",
        "--include",
        "tag:things",
        "--report",
        &report,
        "-o",
        &path("strict.yaml"),
    ];
    assert!(callout(&whole, SHOP).status.success());
    let report = fs::read_to_string(report).unwrap();
    assert!(
        report.contains("\"operations_in_document\": 4")
            && report.contains("\"place\": \"#/paths/~1things~1{id}/get\""),
        "{report}"
    );
    // What is given stands in place of what the document says.
    let given = [
        "import",
        "openapi",
        "-",
        "--include",
        "op:getThing",
        "--base-url",
        "http://127.0.0.1:9",
        "--auth",
        "bearer_token",
        "--header",
        "X-A: b",
    ];
    let text = out(&callout(&given, SHOP));
    for part in ["base_url: http://127.0.0.1:9\n", "auth: { type: bearer_token }\n", "headers: { X-A: b }\n"] {
        assert!(text.contains(part), "{text}");
    }
    // A header that is given stands in place of the one that the document tells of, and once.
    let media = SHOP
        .replace("application/json:", "application/vnd.shop+json:")
        .replace("summary: Adds a thing", "responses: { '201': { content: { text/csv: {} } } }");
    let given = ["import", "openapi", "-", "--include", "op:addThing"];
    let text = out(&callout(&given, &media));
    assert!(text.contains("headers: { Content-Type: application/vnd.shop+json, Accept: text/csv }\n"), "{text}");
    let headers = ["--header", "accept: text/plain", "--header", "content-type: application/json"];
    let output = callout(&[&given[..], &headers[..]].concat(), &media);
    let text = out(&output);
    assert!(
        text.contains("headers: { accept: text/plain, content-type: application/json }\n"),
        "{text}{}",
        err(&output)
    );
    for (arguments, expected) in [
        (&["--include", "tag:none"][..], "none of the document's 4 operations is what was asked for"),
        (&["--include", "none"], "is no selection: write tag:NAME, op:GLOB, path:GLOB or method:GET"),
        (&["--include", "path:/upload"], "no operation can be carried over: nothing is written"),
        (&["--auth", "magic"], "--auth takes bearer_token or api_key_header:NAME, not \"magic\""),
        (&["--header", "x"], "--header takes NAME: VALUE, not \"x\""),
        (&["--name", "Not Good"], "the integration \"Not Good\" cannot be made: must be lower-case"),
        (&["--base-url", "ftp://x"], "say where the API is"),
    ] {
        let output = callout(&[&["import", "openapi", "-"], arguments].concat(), SHOP);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(expected) && out(&output).is_empty(), "{}", err(&output));
    }
    let output = callout(&["import", "openapi", "-"], "swagger: '2.0'");
    assert_eq!(
        (output.status.code(), err(&output)),
        (Some(2), "error: -: is a Swagger 2.0 document: convert it to OpenAPI 3 first\n".to_owned())
    );
}

/// A document is another's text: it may not tell the terminal what to do, nor take out what stands behind it.
#[test]
fn control_characters_of_a_document_are_shown() {
    let operation = r#"{"operationId": "b\u001b[2Jb", "responses": {}}"#;
    let document = format!(
        r#"{{"openapi": "3.0.3", "info": {{"title": "T\u001b]0;t rest"}}, "servers": [{{"url": "https://a.example"}}],
            "paths": {{"/a": {{"get": {{}}}}, "/b\u001b[31m": {{"get": {operation}}}}}}}"#
    );
    let output = callout(&["import", "openapi", "-"], &document);
    let said = err(&output);
    assert!(said.starts_with(r"T\u001b]0;t rest: 2 operations, 1 imported, 1 left out"), "{said}");
    assert!(said.contains("  GET /b\\u001b[31m (b\\u001b[2Jb)\n") && !said.contains('\u{1b}'), "{said}");
    let said = err(&callout(&["import", "curl", "curl --a\u{1b}[2Jb https://a.example"], ""));
    assert_eq!(said, "error: curl has no option --a\\u001b[2Jb\n");
}

#[test]
fn what_is_not_checked_of_a_schema_refuses_nothing_that_the_document_allows() {
    let file = folder("import-unchecked").join("shop.yaml");
    let file = file.to_str().unwrap();
    let document = r"
openapi: 3.1.0
info: { title: Shop }
servers: [{ url: https://shop.example }]
paths:
  /x:
    post:
      operationId: add
      requestBody:
        required: true
        content:
          application/json:
            schema:
              properties:
                one: { oneOf: [{ type: string, pattern: '^(?!urn:)' }, { type: string, pattern: '^urn:' }] }
                not: { type: string, not: { pattern: '^(?=x)' } }
                map: { patternProperties: { '^(?!x)': { type: string } }, additionalProperties: false }
                read:
                  oneOf:
                    - { properties: { id: { type: string, readOnly: true } }, required: [id] }
                    - { properties: { name: { type: string } }, required: [name] }
                due: { oneOf: [{ type: string, format: date }, { type: string, format: date-time }] }
                n: { oneOf: [{ type: integer }, { type: number }] }
                pay:
                  discriminator: { propertyName: type }
                  oneOf:
                    - { type: object, properties: { type: { type: string }, number: { type: string } }, required: [type] }
                    - { type: object, properties: { type: { type: string }, iban: { type: string } }, required: [type] }
";
    let output = callout(&["import", "openapi", "-", "-o", file], document);
    assert!(output.status.success() && err(&output).contains("is not checked"), "{}", err(&output));
    for params in [
        r#"{"one":"urn:a"}"#,
        r#"{"not":"a"}"#,
        r#"{"map":{"a":"b"}}"#,
        r#"{"read":{"name":"a"}}"#,
        r#"{"due":"2026-01-02"}"#,
        r#"{"n":5}"#,
        r#"{"pay":{"type":"card","number":"4242"}}"#,
    ] {
        let output = callout(&["call", file, "add", "--params", params, "--dry-run=curl"], "");
        assert!(output.status.success() && out(&output).contains(params), "{params}: {}", err(&output));
    }
}

#[test]
fn a_curl_line_becomes_an_endpoint_that_sends_the_same() {
    let folder = folder("import-curl");
    let file = folder.join("shop.yaml");
    let file = file.to_str().unwrap();
    let line = r#"curl -X POST 'https://shop.example/users/7/things?notify=true' -H 'Authorization: Bearer canary-token' -d '{"name": "it'\''s", "n": 1}'"#;
    let output = callout(&["import", "curl", line, "-o", file], "");
    assert!(output.status.success(), "{}", err(&output));
    let said = err(&output);
    let sends = format!(
        r#"sends the same: callout call {file} post-users-user_id-things --params '{{"name":"it'\''s","n":1,"user_id":"7","notify":true}}' --secret bearer_token=env:NAME"#
    );
    assert!(said.contains(&sends), "{said}");
    assert!(
        said.contains("secret: --secret bearer_token=env:NAME gives the token behind `Bearer` in the line\n"),
        "{said}"
    );
    assert!(!format!("{said}{}", fs::read_to_string(file).unwrap()).contains("canary"));
    assert!(callout(&["check", file], "").status.success());
    let params = r#"{"name":"it's","n":1,"user_id":"7","notify":true}"#;
    let sent = callout(
        &[
            "call",
            file,
            "post-users-user_id-things",
            "--params",
            params,
            "--secret",
            "bearer_token=env:PATH",
            "--dry-run=curl",
        ],
        "",
    );
    let sent = out(&sent);
    assert!(
        sent.contains("https://shop.example/users/7/things?notify=true")
            && sent.contains(r#"{"name":"it'\''s","n":1}"#),
        "{sent}"
    );
    // Not without what was taken out of its body.
    for (body, said) in [
        ("user=me&password=canary", r#"sends the same once "password" is given: "#),
        ("user=me&password=canary&pwd=canary", r#"sends the same once "password", "pwd" are given: "#),
    ] {
        let output = callout(&["import", "curl", &format!("curl https://shop.example/login -d '{body}'")], "");
        let line = format!(r#"{said}callout call FILE post-login --params '{{"user":"me"}}'"#);
        assert!(err(&output).contains(&line) && !err(&output).contains("canary"), "{}", err(&output));
    }
    // From standard input, and refused where it cannot be whole.
    let output = callout(
        &["import", "curl", "--name", "shop", "--endpoint", "find"],
        "curl https://shop.example/x \\\n  -b sid=1\n",
    );
    assert!(out(&output).starts_with("name: shop\n") && out(&output).contains("- name: find\n"), "{}", out(&output));
    let output = callout(&["import", "curl", "--strict", "curl https://shop.example/x -b sid=1"], "");
    assert_eq!((output.status.code(), out(&output)), (Some(2), String::new()));
    assert!(err(&output).starts_with("loss: cookies (-b) are not sent: they are left out\n"), "{}", err(&output));
    let output = callout(&["import", "curl", "ls"], "");
    assert_eq!(
        (output.status.code(), err(&output)),
        (Some(2), "error: is no curl command line: it does not begin with `curl`\n".to_owned())
    );
}

#[test]
fn what_is_written_is_read_again_however_deep_it_is() {
    let folder = folder("import-deep");
    let document = |schema: &str| {
        let content = format!(r#"{{"application/json": {{"schema": {schema}}}}}"#);
        let post = format!(r#"{{"requestBody": {{"required": true, "content": {content}}}}}"#);
        let (info, servers) = (r#"{"title": "Shop"}"#, r#"[{"url": "https://shop.example"}]"#);
        format!(
            r#"{{"openapi": "3.1.0", "info": {info}, "servers": {servers}, "paths": {{"/x": {{"post": {post}}}}}}}"#
        )
    };
    let nested = |outer: &str, close: &str, levels: usize| {
        format!(r#"{}{{"type": "string"}}{}"#, outer.repeat(levels), close.repeat(levels))
    };
    let objects = nested(r#"{"type": "object", "properties": {"p": "#, "}}", 31);
    let combined = nested(r#"{"type": "object", "properties": {"p": {"anyOf": [{"minProperties": 1}, "#, "]}}}", 20);
    for (name, schema) in [("objects", objects), ("combined", combined)] {
        for ending in ["yaml", "json"] {
            let file = folder.join(format!("{name}.{ending}"));
            let file = file.to_str().unwrap();
            let output = callout(&["import", "openapi", "-", "-o", file], &document(&schema));
            assert!(err(&output).contains(" 1 imported"), "{name}: {}", err(&output));
            let checked = callout(&["check", file], "");
            assert!(checked.status.success(), "{name}: {}{}", out(&checked), err(&checked));
        }
    }
}
