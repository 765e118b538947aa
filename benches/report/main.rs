//! What calls cost beside what the same costs without callout: ratios, measured in one run, as a table in
//! Markdown and a chart in SVG.
//!
//! ```sh
//! cargo run --release -p callout-benches --bin report                   # the table
//! cargo run --release -p callout-benches --bin report -- --svg FILE     # and the chart
//! cargo run --release -p callout-benches --bin report -- in-flight      # 10,000 calls at once
//! cargo run --release -p callout-benches --bin report -- in-flight bare # the same by the client alone
//! ```
//!
//! Each round measures every way once, one after the other, each round beginning with another; a ratio is taken within
//! a round, and the median of the rounds is shown. Each way of calling is a process of its own, and CPU is the time that it takes;
//! the upstream is another one, and the last column is the ratio with its CPU counted in, which is what one machine
//! pays for both.
#![expect(clippy::expect_used, clippy::panic, reason = "what cannot be set up cannot be measured")]
#![expect(clippy::print_stdout, reason = "the report is what this program prints")]

mod call;
mod caller;
mod chart;
mod in_flight;
mod measure;
mod pipeline;
mod token;
mod upstream;

use callout_benches::apart::APART;

/// One line of the report.
struct Row {
    what: String,
    ratio: f64,
    beside: &'static str,
    /// The figure in its own unit.
    own: String,
    /// The ratio with the upstream's CPU counted in, if there is one.
    with_upstream: f64,
}

impl Row {
    const fn new(what: String, ratio: f64, beside: &'static str, own: String) -> Self {
        Self { what, ratio, beside, own, with_upstream: f64::NAN }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some(APART) => match arguments.next().as_deref() {
            Some("upstream") => upstream::serve(),
            _ => caller::serve(arguments),
        },
        Some("in-flight") => match arguments.next().as_deref() {
            Some("bare") => println!("{}", in_flight::report(in_flight::Way::Bare)),
            _ => println!("{}", in_flight::report(in_flight::Way::Callout)),
        },
        Some("--svg") => report(arguments.next()),
        Some(other) => panic!("{other}: there are in-flight and --svg FILE"),
        None => report(None),
    }
}

fn report(svg: Option<String>) {
    let rows: Vec<Row> = [pipeline::rows(), call::rows(), token::rows()].into_iter().flatten().collect();
    let shown = |ratio: f64| if ratio.is_nan() { String::new() } else { format!("{ratio:.2}") };
    println!("| what | own | ratio | beside | with the upstream's CPU |\n|---|---|---|---|---|");
    for Row { what, ratio, beside, own, with_upstream } in &rows {
        println!("| {what} | {own} | {} | {beside} | {} |", shown(*ratio), shown(*with_upstream));
    }
    if let Some(file) = svg {
        std::fs::write(&file, chart::svg(&rows)).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}
