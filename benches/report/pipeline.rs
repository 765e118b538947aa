//! From the bytes of a body to the text, where few fields are wanted, beside reading the body into a
//! `serde_json::Value` and nothing else.

use std::{hint::black_box, time::Duration};

use callout_benches::{obvious, pipeline::Shaping};

use crate::{
    Row,
    measure::{interleaved, median},
};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for (name, body, shape) in obvious::bodies() {
        let shaping = Shaping::of(&shape.endpoint());
        let times = (20_000_000 / body.len()).max(1);
        let repeated = |work: &dyn Fn()| (0..times).for_each(|_| work());
        assert!(shaping.wanted(&body).is_some(), "{name}: there is no plan");
        let full = || drop(black_box(serde_json::from_slice::<serde_json::Value>(&body)));
        let by_hand = || {
            let value = serde_json::from_slice(&body).expect("real bodies are JSON");
            drop(black_box(obvious::shape(&value, &shape)));
        };
        let ours = || drop(black_box(shaping.wanted(&body)));
        let whole = || drop(black_box(shaping.whole(&body)));
        let compared = interleaved(
            9,
            &mut [&mut || repeated(&full), &mut || repeated(&by_hand), &mut || repeated(&ours), &mut || {
                repeated(&whole);
            }],
        );
        for (way, what) in [(1, "pipeline by hand"), (2, "pipeline"), (3, "pipeline on the whole body")] {
            let ratio = compared.ratio(way, 0);
            if way == 2 {
                all.push(ratio);
            }
            let own = compared.times.get(way).map_or(Duration::ZERO, |time| *time / times as u32);
            rows.push(Row::new(format!("{what}, {name}"), ratio, "full parse", format!("{own:.1?}")));
        }
    }
    let worst = all.iter().copied().fold(0.0, f64::max);
    let own = format!("worst {worst:.2}");
    rows.push(Row::new("pipeline, median of bodies".to_owned(), median(all), "full parse", own));
    rows
}
