//! What the workspace's layout promises: which crate may name which, that the guide's rules have their tests, and
//! what the crates of others ask for.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use spdx::{Expression, LicenseReq, Licensee, ParseMode};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The normal dependencies of each crate under `crates/`.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours = metadata.packages.iter().filter(|package| package.manifest_path.starts_with(root().join("crates")));
    ours.map(|package| {
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        (package.name.to_string(), normal.map(|dependency| dependency.name.clone()).collect())
    })
    .collect()
}

/// The features that a crate under `crates/` asks for of a normal dependency.
fn features(name: &str, library: &str) -> Vec<String> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let package = metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap();
    let normal = package.dependencies.iter().find(|dependency| {
        dependency.kind == DependencyKind::Normal && dependency.name == library && !dependency.uses_default_features
    });
    normal.unwrap().features.clone()
}

#[test]
fn arrows_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("callout-core", &[][..]),
        ("callout-path", &["callout-core"]),
        ("callout-request", &["callout-core"]),
        ("callout-transport", &["callout-core"]),
        ("callout-auth", &["callout-core", "callout-path"]),
        ("callout-response", &["callout-core", "callout-path"]),
        ("callout", &["callout-core", "callout-request", "callout-auth", "callout-transport", "callout-response"]),
        ("callout-store", &["callout-core"]),
        ("callout-mcp", &["callout"]),
        ("callout-openapi", &["callout-core"]),
        ("callout-server", &["callout", "callout-mcp", "callout-store"]),
        ("callout-cli", &["callout", "callout-mcp", "callout-openapi", "callout-store", "callout-server"]),
    ]);
    for (name, dependencies) in dependencies() {
        let allowed: BTreeSet<_> = allowed[name.as_str()].iter().copied().collect();
        for dependency in dependencies.iter().filter(|dependency| dependency.starts_with("callout")) {
            assert!(allowed.contains(dependency.as_str()), "{name} may not depend on {dependency}");
        }
    }
}

/// What `deny.toml` allows: licences that ask who passes a program on for a notice at most.
fn permissive() -> Vec<Licensee> {
    let rules = fs::read_to_string(root().join("deny.toml")).unwrap();
    let (_, allowed) = rules.split_once("[licenses]\nallow = [").unwrap();
    let (allowed, _) = allowed.split_once(']').unwrap();
    allowed.split('"').skip(1).step_by(2).map(|name| Licensee::parse(name).unwrap()).collect()
}

/// All that is built into the crates under `crates/`, or builds them.
fn built_in(metadata: &Metadata) -> BTreeSet<&PackageId> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let nodes: BTreeMap<_, _> = nodes.iter().map(|node| (&node.id, &node.deps)).collect();
    let ours = metadata.packages.iter().filter(|package| package.manifest_path.starts_with(root().join("crates")));
    let mut found = BTreeSet::new();
    let mut next: Vec<_> = ours.map(|package| &package.id).collect();
    while let Some(package) = next.pop() {
        if found.insert(package) {
            let for_use = |kind: DependencyKind| kind != DependencyKind::Development;
            let used = nodes[package].iter().filter(|of| of.dep_kinds.iter().any(|of| for_use(of.kind)));
            next.extend(used.map(|of| &of.pkg));
        }
    }
    found
}

#[test]
fn what_an_embedder_takes_in_asks_for_a_notice_at_most() {
    // Of other machines not all is here.
    let compiler = Command::new("rustc").arg("-vV").output().unwrap();
    let compiler = String::from_utf8(compiler.stdout).unwrap();
    let host = compiler.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut options = ["--offline", "--filter-platform", host].map(str::to_owned).to_vec();
    // What only a feature asks for is not here before it was asked for.
    if env::var("CALLOUT_TEST_FEATURES").is_ok_and(|which| which == "all") {
        options.push("--all-features".to_owned());
    }
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec();
    let metadata = metadata.expect("all packages are here once the whole workspace has been built");
    let built_in = built_in(&metadata);
    assert!(built_in.len() > 100, "{}", built_in.len());
    let permissive = permissive();
    let is_permissive = |asked: &LicenseReq| permissive.iter().any(|licence| licence.satisfies(asked));
    for package in metadata.packages.iter().filter(|package| built_in.contains(&package.id)) {
        let license = package.license.as_deref().unwrap_or_else(|| panic!("{}: no licence", package.name));
        let asked = Expression::parse_mode(license, ParseMode::LAX).unwrap();
        assert!(asked.evaluate(is_permissive), "{} is under {license}", package.name);
    }
}

#[test]
fn each_large_dependency_stands_in_one_crate() {
    for (library, home) in [
        ("hyper-rustls", "callout-transport"),
        ("moka", "callout-auth"),
        ("jsonwebtoken", "callout-auth"),
        ("minijinja", "callout-response"),
        ("jsonpath-rust", "callout-path"),
        ("jsonschema", "callout-request"),
        ("sqlx", "callout-store"),
        ("axum", "callout-server"),
        ("rmcp", "callout-mcp"),
    ] {
        let users: Vec<_> =
            dependencies().into_iter().filter(|(_, all)| all.contains(library)).map(|(name, _)| name).collect();
        assert_eq!(users, [home], "{library}");
    }
}

#[test]
fn no_library_switches_on_a_feature_of_its_hosts_serde_json() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours = metadata.packages.iter().filter(|package| package.manifest_path.starts_with(root().join("crates")));
    let switches = ours.filter(|package| {
        let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
        normal.filter(|dependency| dependency.name == "serde_json").any(|dependency| !dependency.features.is_empty())
    });
    // The program, which nobody links.
    assert_eq!(switches.map(|package| package.name.to_string()).collect::<Vec<_>>(), ["callout-cli"]);
}

/// The crates that may open connections: the transport on behalf of a config, the store to what its
/// operator configured.
const DIALLING: [&str; 2] = ["callout-transport", "callout-store"];

/// The crates that accept connections and open none: the server, and the program's demo.
const SERVING: [&str; 2] = ["callout-server", "callout-cli"];

/// What a source says that opens connections or looks names up, `TcpStream` aside.
const DIALS: [&str; 9] = [
    "TcpSocket",
    "UdpSocket",
    "UnixStream",
    "UnixDatagram",
    "ToSocketAddrs",
    "to_socket_addrs",
    "lookup_host",
    "client::conn",
    "client::legacy",
];

#[test]
fn only_the_transport_can_open_a_connection() {
    // Crates that dial, and tokio, whose `net` could.
    let dialling =
        ["reqwest", "hyper", "hyper-rustls", "hyper-util", "tokio", "tokio-rustls", "rustls", "ureq", "socket2", "mio"];
    // The engine spawns an inbox's calls, and asks for nothing else of tokio.
    assert_eq!(features("callout", "tokio"), ["rt"]);
    // MCP is spoken on streams and requests that a host hands over.
    assert_eq!(features("callout-mcp", "tokio"), ["macros", "rt", "sync"]);
    assert_eq!(features("callout-mcp", "rmcp"), ["server", "transport-streamable-http-server"]);
    for (name, dependencies) in dependencies() {
        if DIALLING.contains(&name.as_str()) || SERVING.contains(&name.as_str()) {
            continue;
        }
        let found = dialling.iter().filter(|library| dependencies.contains(**library));
        let on_tasks = ["callout", "callout-mcp"].contains(&name.as_str());
        let found: Vec<_> = found.filter(|library| !(on_tasks && **library == "tokio")).collect();
        assert!(found.is_empty(), "{name} depends on {found:?}");
    }
    for file in sources(&root().join("crates")) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root().join("crates")).unwrap();
        let is_source = name.components().nth(1).is_some_and(|folder| folder.as_os_str() == "src");
        if is_source && !DIALLING.iter().any(|home| name.starts_with(home)) {
            // By the type, however it is imported: who accepts connections has them as `TcpStream`, too.
            let accepts = SERVING.iter().any(|home| name.starts_with(home));
            let stream = if accepts { "TcpStream::connect" } else { "TcpStream" };
            for dials in [stream].into_iter().chain(DIALS) {
                assert!(!text.contains(dials), "{} dials: {dials}", name.display());
            }
        }
    }
}

#[test]
fn every_rule_of_the_behaviour_pages_names_a_test_that_exists() {
    let pages = ["callout/src/guide/behaviour.md", "callout-mcp/src/behaviour.md", "callout-server/src/behaviour.md"];
    let pages = pages.map(|page| fs::read_to_string(root().join("crates").join(page)).unwrap());
    let tests: BTreeSet<String> = sources(&root())
        .iter()
        .flat_map(|file| {
            let text = fs::read_to_string(file).unwrap();
            // A function counts only behind an attribute that makes it a test.
            let mut is_test = false;
            let mut names = Vec::new();
            for line in text.lines().map(str::trim_start) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                if let Some(rest) = line.trim_start_matches("async ").strip_prefix("fn ") {
                    names.extend(is_test.then(|| rest.split('(').next().unwrap_or_default().to_owned()));
                    is_test = false;
                }
            }
            names
        })
        .collect();
    let lines = pages.iter().flat_map(|page| page.lines());
    let rules: Vec<_> = lines.filter(|line| line.starts_with(|first: char| first.is_ascii_digit())).collect();
    assert!(rules.len() >= 100, "{} rules", rules.len());
    for rule in rules {
        let (_, named) = rule.rsplit_once(" · ").unwrap_or_else(|| panic!("no test is named by: {rule}"));
        for name in named.split(", ") {
            let name = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            let name = name.unwrap_or_else(|| panic!("no test is named by: {rule}"));
            assert!(tests.contains(name), "there is no test {name}, named by: {rule}");
        }
    }
}

/// The Rust files below a folder, build output aside.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with(".git") {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
