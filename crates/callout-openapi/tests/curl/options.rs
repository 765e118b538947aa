//! Options: those that change nothing of the request, and those that do.

use super::{run, told};

#[test]
fn the_value_of_an_option_is_not_taken_for_the_url() {
    for option in [
        "--cacert",
        "--cert",
        "--config",
        "--connect-timeout",
        "--doh-url",
        "--interface",
        "--key",
        "--limit-rate",
        "--max-time",
        "--netrc-file",
        "--noproxy",
        "--pass",
        "--pinnedpubkey",
        "--proto",
        "--proxy-header",
        "--request-target",
        "--resolve",
        "--retry",
        "--socks5-hostname",
        "--tlspassword",
        "--unix-socket",
        "--variable",
        "-E",
        "-m",
        "-z",
    ] {
        let made = run(&format!("curl {option} canary https://shop.example/x")).unwrap();
        let found = (made.integration.base_url.as_str(), made.integration.endpoints[0].path.as_str());
        assert_eq!(found, ("https://shop.example", "/x"), "{option}");
        assert!(!format!("{made:?}").contains("canary"), "{option}: {made:?}");
    }
}

#[test]
fn an_option_that_changes_the_request_is_carried_over_or_said() {
    let table: [(&str, &[&str]); 15] = [
        ("-r 0-99", &[r#"{"Range":"bytes=0-99"}"#, "{}"]),
        ("--range 100", &[r#"{"Range":"bytes=100-"}"#, "{}"]),
        ("-z 2026-01-01", &["{}", "- --time-cond is left out: write it as a header If-Modified-Since"]),
        ("-n", &["{}", "- --netrc is left out, for no file is read: write the user as -u"]),
        ("-K file", &["{}", "- --config is left out, for no file is read: write its options into the line"]),
        (
            "-E a.pem --key b.pem --cacert c.pem",
            &[
                "{}",
                "- --cert is left out: `callout call` takes a client's certificate and key by --client-identity",
                "- --key is left out: `callout call` takes a client's certificate and key by --client-identity",
                "- --cacert is left out: `callout call` takes certificates to trust by --ca",
            ],
        ),
        (
            "-x proxy.example:3128 --proxy-user canary",
            &["{}", "- --proxy is left out: `callout call` takes a proxy by --proxy"],
        ),
        (
            "--unix-socket /run/x --request-target /y",
            &[
                "{}",
                "- --unix-socket is left out: the host of the URL is called",
                "- --request-target is left out: the path of the URL is sent",
            ],
        ),
        ("--path-as-is", &["{}", "- --path-as-is is left out: what `..` in the path leads to is sent"]),
        // Another site may answer to another name.
        ("-H 'Host: other.example'", &["{}", "- the header Host names another host: that of the URL is called"]),
        ("-H 'host: SHOP.example:443'", &["{}", ". the header host is set by the connection"]),
        ("-H 'Content-Type: application/json'", &[r#"{"Content-Type":"application/json"}"#, "{}"]),
        (
            "-X POST -H 'Content-Type: application/json'",
            &["{}", "- curl sends no body, and the endpoint an empty JSON object"],
        ),
        ("-X POST", &["{}", "- curl sends no body, and the endpoint an empty JSON object"]),
        ("-X POST -H 'Content-Type: application/x-www-form-urlencoded'", &["form", "{}"]),
    ];
    for (options, expected) in table {
        let mut found = told(&format!("curl {options} https://shop.example/x"));
        let sent = found.remove(0);
        assert!(sent.ends_with(" https://shop.example/x"), "{sent}");
        assert_eq!(found, expected, "\n{options}\n{}", found.join("\n"));
    }
}

#[test]
fn an_option_that_curl_does_not_know_is_refused() {
    for (options, expected) in [
        ("--request=POST --data=a=1", "! curl takes `--request VALUE`, not `--request=VALUE`"),
        ("--header='Authorization: Bearer canary'", "! curl takes `--header VALUE`, not `--header=VALUE`"),
        ("--compressed=canary", "! curl takes no value with --compressed"),
        ("--reqest POST", "! curl has no option --reqest"),
        ("--tokn=canary", "! curl has no option --tokn"),
        ("--dat a=1", "! curl has no option --dat"),
        ("-sW", "! curl has no option -W"),
        ("--no-request", "! curl has no option --no-request"),
    ] {
        assert_eq!(told(&format!("curl {options} https://shop.example/x")), [expected], "{options}");
    }
    // Of a name its beginning will do, and a flag may be turned off.
    let found = told("curl --heade 'X-A: 1' --no-progress-meter --no-location --sile https://shop.example/x");
    assert_eq!(found, ["GET https://shop.example/x", r#"{"X-A":"1"}"#, "{}"]);
}
