//! Which addresses are dialled: literals, names that change their mind, proxies.

use std::{process::Command, time::Duration};

use callout_core::ErrorKind;
use callout_tests::{Names, Reply, Sender, TestClock, Upstream};
use callout_transport::{ConnectFault, EgressPolicy, Transport};
use tokio::net::TcpListener;

use crate::{builder, pause, shown};

fn open(entries: &[&str]) -> EgressPolicy {
    entries.iter().fold(EgressPolicy::public(), |policy, entry| policy.allow(entry).unwrap())
}

fn with(entries: &[&str]) -> Transport {
    builder(&[], &TestClock::still()).with_egress(open(entries)).build().unwrap()
}

/// Every spelling of loopback, with a listener behind it that must hear nothing.
#[tokio::test]
async fn no_spelling_of_a_refused_address_gets_a_packet() {
    let v4 = Upstream::with(|_| Reply::json(200, "{}")).await;
    let port = v4.address().port();
    let v6 = TcpListener::bind(("::1", port))
        .await
        .ok()
        .map(|listener| Upstream::on_listener(listener, |_| Reply::status(200)));
    let names = Names::new()
        .with("rebind.example", &["127.0.0.1"])
        .with("mapped.example", &["::ffff:127.0.0.1"])
        .with("localhost", &["::1", "127.0.0.1"]);
    let transport =
        builder(&[], &TestClock::still()).with_egress(EgressPolicy::public()).with_resolver(names).build().unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001::80ff:fffe]",
        "[::ffff:0:127.0.0.1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "rebind.example",
        "mapped.example",
        "１２７.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let sender = Sender::get(format!("http://{host}:{port}/latest?token=canary"));
        let error = sender.send(&transport).await.unwrap_err();
        if host == "localhost." {
            // The script knows no such name.
            assert_eq!(error.kind(), ErrorKind::Connect);
            continue;
        }
        assert_eq!((error.kind(), error.retries()), (ErrorKind::EgressDenied, 0), "{host}: {error}");
        assert!(!error.is_retryable() && !shown(&error).contains("canary"), "{host}: {error}");
    }
    pause(Duration::from_millis(20)).await;
    assert_eq!(v4.connections(), 0);
    assert_eq!(v6.map_or(0, |v6| v6.connections()), 0);
}

#[tokio::test]
async fn a_denial_names_the_way_out_and_not_the_network() {
    let names = Names::new()
        .with("intranet.example", &["10.1.2.3"])
        .with("mapped.example", &["::ffff:10.1.2.3"])
        .with("meta.example", &["169.254.169.254"]);
    let transport =
        builder(&[], &TestClock::still()).with_egress(open(&["169.254.0.0/16"])).with_resolver(names).build().unwrap();
    let error = Sender::get("http://intranet.example:8080/x").send(&transport).await.unwrap_err();
    assert_eq!(
        error.message(),
        "intranet.example:8080 leads to a private address (RFC 1918), which calls may not reach; to open it, allow it \
         in the egress policy: `--allow intranet.example:8080` or `EgressPolicy::allow(\"intranet.example:8080\")`"
    );
    assert!(!shown(&error).contains("10.1.2.3"));
    let error = Sender::get("http://mapped.example/x").send(&transport).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EgressDenied);
    assert!(!shown(&error).contains("10.1.2.3") && !shown(&error).contains("carries"), "{error}");
    let error = Sender::get("http://meta.example/x").send(&transport).await.unwrap_err();
    assert!(error.message().contains("only an allow-list entry that is this very address"), "{error}");
    let error = Sender::get("http://nowhere.example/x?token=canary").retries(1).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.retries()), (ErrorKind::Connect, 1));
    assert_eq!(ConnectFault::of(&error), Some(ConnectFault::Lookup));
    assert_eq!(error.message(), "the name of nowhere.example cannot be looked up");
    assert!(!shown(&error).contains("canary"));
}

#[tokio::test]
async fn a_denial_names_the_address_that_a_literal_carries() {
    for (entries, host, carried) in [
        (&["[::ffff:7f00:1]:8080"][..], "[::ffff:127.0.0.1]", "127.0.0.1"),
        (&[], "[::ffff:127.0.0.1]", "127.0.0.1"),
        (&["::/0"], "[64:ff9b::a9fe:a9fe]", "169.254.169.254"),
        (&["::/0"], "[2001:0:808:808::f5ff:fffe]", "10.0.0.1"),
    ] {
        let error = Sender::get(format!("http://{host}:8080/x")).send(&with(entries)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EgressDenied, "{error}");
        let way_out = format!("; it carries {carried}: allow `{carried}:8080` too");
        assert!(error.message().ends_with(&way_out), "{entries:?}: {error}");
    }
    // An address that carries a public one needs only itself to be opened.
    let error = Sender::get("http://[64:ff9b::808:808]:8080/x").send(&with(&[])).await.unwrap_err();
    assert!(!error.message().contains("carries"), "{error}");
}

/// 127.0.0.1 plays a public address, 127.0.0.2 an internal one.
#[tokio::test]
async fn of_a_names_addresses_only_the_allowed_are_dialled() {
    let public = Upstream::with(|_| Reply::json(200, "{}")).await;
    let port = public.address().port();
    let internal = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let internal = Upstream::on_listener(internal, |_| Reply::status(500));
    for answer in [
        &["127.0.0.1", "127.0.0.2"][..],
        &["127.0.0.2", "127.0.0.1"],
        &["::1", "127.0.0.1"],
        &["::ffff:127.0.0.2", "::ffff:127.0.0.1", "127.0.0.1"],
        &["169.254.169.254", "127.0.0.1"],
    ] {
        let names = Names::new().with("mixed.example", answer);
        let transport = builder(&[&public], &TestClock::still()).with_resolver(names.clone()).build().unwrap();
        let response = Sender::get(public.named("mixed.example", "/x")).send(&transport).await.unwrap();
        assert_eq!((response.status, response.retries, names.asked().len()), (200, 0, 1), "{answer:?}");
    }
    assert_eq!(internal.connections(), 0);
    assert_eq!(public.requests()[0].header("host"), Some(&*format!("mixed.example:{port}")));
}

#[tokio::test]
async fn a_name_that_flips_between_two_look_ups_gains_nothing() {
    let public = Upstream::with(|_| Reply::json(200, "{}").header("connection", "close").then_close()).await;
    let port = public.address().port();
    let internal = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let internal = Upstream::on_listener(internal, |_| Reply::status(500));
    let names = Names::new()
        .with("flip.example", &["127.0.0.1"])
        .with("flip.example", &["127.0.0.2"])
        .with("flip.example", &["127.0.0.1"]);
    let transport = builder(&[&public], &TestClock::still()).with_resolver(names.clone()).build().unwrap();
    let sender = Sender::get(public.named("flip.example", "/x"));
    assert_eq!(sender.send(&transport).await.unwrap().status, 200);
    assert_eq!(sender.send(&transport).await.unwrap_err().kind(), ErrorKind::EgressDenied);
    assert_eq!(sender.send(&transport).await.unwrap().status, 200);
    // One look-up for each connection, and none beside: no second one between check and dialling.
    assert_eq!((names.asked().len(), public.connections(), internal.connections()), (3, 2, 0));
}

#[tokio::test]
async fn an_entry_with_a_port_opens_that_port() {
    let (one, other) = (Upstream::with(|_| Reply::status(200)).await, Upstream::with(|_| Reply::status(200)).await);
    let port = one.address().port();
    for (entry, host, allowed) in [
        (format!("127.0.0.1:{port}"), "127.0.0.1", true),
        (format!("127.0.0.1:{port}"), "localhost", true),
        (format!("localhost:{port}"), "localhost", true),
        (format!("localhost:{port}"), "127.0.0.1", false),
        (format!("127.0.0.0/8:{port}"), "127.0.0.1", true),
        ("localhost".to_owned(), "localhost", true),
    ] {
        let names = Names::new().with("localhost", &["127.0.0.1"]);
        let transport =
            builder(&[], &TestClock::still()).with_egress(open(&[&entry])).with_resolver(names).build().unwrap();
        let result = Sender::get(one.named(host, "/x")).send(&transport).await;
        assert_eq!(result.is_ok(), allowed, "{entry} {host}: {result:?}");
        let elsewhere = Sender::get(other.named(host, "/x")).send(&transport).await;
        assert_eq!(elsewhere.is_ok(), allowed && entry == "localhost", "{entry} {host} on another port");
    }
}

#[tokio::test]
async fn other_schemes_are_not_called() {
    for url in ["ftp://127.0.0.1/x", "file:///etc/passwd", "data:text/plain,x"] {
        let error = Sender::get(url).send(&with(&["127.0.0.1"])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EgressDenied, "{url}: {error}");
    }
}

#[tokio::test]
async fn a_url_that_is_too_long_is_told_so_and_not_sent() {
    let upstream = Upstream::with(|_| Reply::status(200)).await;
    let transport = builder(&[&upstream], &TestClock::still()).build().unwrap();
    let url = |bytes: usize| upstream.url() + "/?q=" + &"x".repeat(bytes - upstream.url().len() - 4);
    let error = Sender::get(url(65_535)).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), error.retries(), error.is_retryable()), (ErrorKind::LimitExceeded, 0, false), "{error}");
    assert_eq!(error.message(), "the URL has 65535 bytes, 65534 are sent at most");
    assert_eq!(upstream.connections(), 0);
    assert_eq!(Sender::get(url(65_534)).send(&transport).await.unwrap().status, 200);
}

/// Runs in a child process, since an environment cannot be changed safely in this one: the next test
/// starts it with a target and counts what arrives there.
#[tokio::test]
async fn child_with_a_proxy_in_its_environment() {
    let Ok(target) = std::env::var("TEST_TARGET") else { return };
    let transport = with(&[target.trim_start_matches("http://")]);
    assert_eq!(Sender::get(&target).send(&transport).await.unwrap().status, 200);
    let error = Sender::get("http://169.254.169.254/latest").send(&transport).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EgressDenied);
}

#[tokio::test]
async fn no_proxy_is_taken_from_the_environment() {
    let (proxy, target) = (Upstream::with(|_| Reply::status(500)).await, Upstream::with(|_| Reply::status(200)).await);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "egress::child_with_a_proxy_in_its_environment"]).env("TEST_TARGET", target.url());
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.url());
    }
    let output = tokio::task::spawn_blocking(move || child.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert_eq!((proxy.connections(), target.count()), (0, 1));
}

#[tokio::test]
async fn a_proxy_that_the_embedder_sets_gets_everything_but_refused_literals() {
    let proxy = Upstream::with(|request| match request.method.as_str() {
        "CONNECT" => Reply::status(403).header("connection", "close").then_close(),
        _ => Reply::json(200, "{}"),
    })
    .await;
    let names = Names::new();
    let at = proxy.url().replace("http://", "http://user:proxy-canary@");
    let building = builder(&[], &TestClock::still())
        .with_egress(open(&["127.0.0.1:81"]))
        .with_resolver(names.clone())
        .with_proxy(&at);
    assert!(!format!("{building:?}").contains("proxy-canary"));
    let transport = building.build().unwrap();
    assert!(!format!("{transport:?}").contains("proxy-canary"));
    let response = Sender::get("http://api.example/x?y=1").send(&transport).await.unwrap();
    assert_eq!(response.status, 200);
    let request = &proxy.requests()[0];
    assert_eq!(request.target, "http://api.example/x?y=1");
    assert!(request.header("proxy-authorization").is_some());
    for (url, allowed) in [
        ("http://127.0.0.1/x", false),
        ("http://127.0.0.1:81/x", true),
        ("http://169.254.169.254/x", false),
        ("http://[::ffff:10.0.0.1]/x", false),
    ] {
        assert_eq!(Sender::get(url).send(&transport).await.is_ok(), allowed, "{url}");
    }
    assert_eq!((proxy.count(), names.asked()), (2, Vec::<String>::new()));

    // CONNECT that is refused: no connection, and not the upstream's own status.
    let error = Sender::get("https://api.example/x").retries(0).send(&transport).await.unwrap_err();
    assert_eq!((error.kind(), ConnectFault::of(&error)), (ErrorKind::Connect, Some(ConnectFault::Other)), "{error}");
    assert!(!shown(&error).contains("proxy-canary"), "{}", shown(&error));
    assert!(error.message().starts_with("no connection to api.example by way of the proxy: "), "{error}");
    for url in ["", "proxy.example:3128", "socks5://127.0.0.1:1", "ftp://x", "http://"] {
        let error = Transport::builder().with_proxy(url).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig, "{url}");
    }
}
