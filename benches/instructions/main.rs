//! Instructions of the hot paths, counted by valgrind: the same on every run of the same program, so that
//! a few percent more are seen, whatever else the machine does.
//!
//! ```sh
//! cargo run --release -p callout-benches --bin instructions              # counts and compares
//! cargo run --release -p callout-benches --bin instructions -- --write   # sets the baseline anew
//! ```
//!
//! It runs itself under callgrind, each path some times and twice as often; half of the difference belongs
//! to no start-up. The baseline names the compiler, the kind of machine and the C library that it was taken
//! with, for allocating and copying are that one's; counts of others are shown and not compared.
#![expect(clippy::expect_used, clippy::panic, reason = "what cannot be set up cannot be counted")]
#![expect(clippy::print_stdout, reason = "the counts are what this program prints")]

mod paths;

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};

/// Past so many times the baseline a path has become slower.
const MOST: f64 = 1.05;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => compare(&count()),
        ["--write"] => write(&count()),
        ["run", path, times] => paths::run(path, times.parse().expect("a number")),
        _ => panic!("there are: nothing, --write"),
    }
}

fn count() -> BTreeMap<String, u64> {
    let each = |(name, times): &(&str, u64)| {
        let (once, twice) = (instructions(name, *times), instructions(name, 2 * times));
        ((*name).to_owned(), twice.saturating_sub(once) / times)
    };
    paths::ALL.iter().map(each).collect()
}

/// What callgrind has collected over one run of this program.
fn instructions(path: &str, times: u64) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = command.args(["run", path, &times.to_string()]).output().expect("valgrind is installed");
    let told = String::from_utf8_lossy(&output.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected : "));
    let collected = collected.and_then(|(_, count)| count.trim().parse().ok());
    collected.unwrap_or_else(|| panic!("{path}: valgrind counted nothing:\n{told}"))
}

fn compare(counts: &BTreeMap<String, u64>) {
    let baseline = fs::read_to_string(baseline()).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let baseline = baseline.unwrap_or_default();
    let same = baseline["taken_with"] == taken_with();
    println!("| path | instructions | baseline | ratio |\n|---|---|---|---|");
    let mut slower = Vec::new();
    for (path, count) in counts {
        let before = baseline["instructions"][path].as_u64();
        let ratio = before.map_or(1.0, |before| *count as f64 / before as f64);
        println!("| {path} | {count} | {} | {ratio:.3} |", before.map_or_else(String::new, |count| count.to_string()));
        if same && ratio > MOST {
            slower.push(path.as_str());
        }
    }
    if !same {
        println!("The baseline is of {}, this is {}: nothing is compared.", baseline["taken_with"], taken_with());
    }
    if !slower.is_empty() {
        println!(
            "More than {MOST} times the instructions: {}. Find out why (see benches/README.md), or set the baseline \
             anew with --write and say why in the commit.",
            slower.join(", ")
        );
        std::process::exit(1);
    }
}

fn write(counts: &BTreeMap<String, u64>) {
    let text = json!({"taken_with": taken_with(), "instructions": counts});
    let text = serde_json::to_string_pretty(&text).expect("it is JSON");
    fs::write(baseline(), text + "\n").unwrap_or_else(|error| panic!("{}: {error}", baseline()));
    compare(counts);
}

fn baseline() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/instructions/baseline.json").to_owned()
}

/// What counts depend on: the compiler's version, the machine's kind, the C library's version.
fn taken_with() -> String {
    let first_line = |program: &str| {
        let output = Command::new(program).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        text.lines().next().unwrap_or("unknown").to_owned()
    };
    #[cfg(target_arch = "x86_64")]
    let vectors = if std::arch::is_x86_feature_detected!("avx2") { " with AVX2" } else { "" };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    format!("{}, {}{vectors}, {}", first_line("rustc"), std::env::consts::ARCH, first_line("ldd"))
}
