//! A `tracing` subscriber that writes down what a program says of its calls.

use std::{
    cell::RefCell,
    fmt::{self, Write},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

#[derive(Default)]
struct Record {
    /// Name and fields of each span, by its id less one.
    spans: Vec<(String, String)>,
    entered: Vec<usize>,
    events: String,
}

thread_local! {
    static RECORD: RefCell<Record> = RefCell::default();
}

/// What the engine's crates say, at every level, on the thread that says it: the spans in the order
/// of their beginnings, and the events with the spans they stand in.
#[derive(Debug)]
pub struct Spans(());

impl Spans {
    /// Begins anew, for this thread. It is the whole program's subscriber, for one of a single thread
    /// misses what another has seen first.
    pub fn begin() -> Self {
        let _ = tracing::subscriber::set_global_default(Log);
        RECORD.take();
        Self(())
    }

    /// Each span on a line with its fields, then the events.
    pub fn text(&self) -> String {
        RECORD.with_borrow(|record| {
            let mut text = String::new();
            for (name, fields) in &record.spans {
                let _ = writeln!(text, "{name}{fields}");
            }
            text + "--\n" + &record.events
        })
    }
}

struct Log;

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("callout")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        RECORD.with_borrow_mut(|record| {
            let mut fields = String::new();
            span.record(&mut Fields(&mut fields));
            let depth = record.entered.len();
            let name = format!("{}{} {}", "  ".repeat(depth), span.metadata().level(), span.metadata().name());
            record.spans.push((name, fields));
            span::Id::from_u64(record.spans.len() as u64)
        })
    }

    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        RECORD.with_borrow_mut(|record| {
            if let Some((_, fields)) = record.spans.get_mut(id.into_u64() as usize - 1) {
                values.record(&mut Fields(fields));
            }
        });
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        RECORD.with_borrow_mut(|record| {
            let within = record.entered.last().and_then(|&at| record.spans.get(at)).map(|(name, _)| name.trim_start());
            let mut line = format!("{} in {}:", event.metadata().level(), within.unwrap_or("nothing"));
            event.record(&mut Fields(&mut line));
            record.events.push_str(&line);
            record.events.push('\n');
        });
    }

    fn enter(&self, id: &span::Id) {
        RECORD.with_borrow_mut(|record| record.entered.push(id.into_u64() as usize - 1));
    }

    fn exit(&self, _: &span::Id) {
        RECORD.with_borrow_mut(|record| record.entered.pop());
    }
}
