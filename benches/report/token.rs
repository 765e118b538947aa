//! A cached token.

use std::time::Duration;

use callout_benches::{apart::cpu_of, token::Tokens};

use crate::{Row, measure::median};

const HITS: u32 = 200_000;

pub(crate) fn rows() -> Vec<Row> {
    [("token hit", 0), ("token hit, keyed by two params", 2)]
        .into_iter()
        .map(|(what, params)| {
            let tokens = Tokens::new(params);
            let each = |_| cpu_of(|| (0..HITS).for_each(|_| tokens.hit())).as_secs_f64() / f64::from(HITS);
            let own = Duration::from_secs_f64(median((0..15).map(each).collect()));
            Row::new(what.to_owned(), f64::NAN, "", format!("{own:.0?}"))
        })
        .collect()
}
