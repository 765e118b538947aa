//! Pages of lists: `limit`, `continuation_token`, and the envelope around the items.

use callout::{Faults, Json, json::ObjectBuilder};
use callout_store::{Listed, Page};

use crate::{
    error::ApiError,
    query::{self, Query},
};

/// Most items of one page.
const MAX_LIMIT: i64 = 100;
/// Items of a page unless asked otherwise.
const DEFAULT_LIMIT: i64 = 10;

/// The page that a query asks for, where it can ask for nothing else.
pub(crate) fn asked(query: Option<&str>) -> Result<Page, ApiError> {
    let mut faults = Faults::new();
    let page = read(&Query::parse(query), &mut faults);
    query::refuse(&faults)?;
    Ok(page)
}

/// Reads `limit` (1 to 100, default 10) and `continuation_token` (default 0).
pub(crate) fn read(query: &Query, faults: &mut Faults) -> Page {
    let limit = query.integer("limit", 1, MAX_LIMIT, faults).unwrap_or(DEFAULT_LIMIT);
    let offset = query.integer("continuation_token", 0, i64::MAX, faults).unwrap_or(0);
    Page { limit: u32::try_from(limit).unwrap_or(1), offset: u64::try_from(offset).unwrap_or(0) }
}

/// `items`, `has_more`, `continuation_token` (null on the last page), `total`.
pub(crate) fn write<T>(page: Page, listed: Listed<T>, item: impl Fn(&T) -> Json) -> Json {
    let shown = u64::try_from(listed.items.len()).unwrap_or(u64::MAX);
    let next = page.offset.saturating_add(shown);
    // A page past the end has no items and nothing behind it.
    let has_more = shown > 0 && next < listed.total;
    ObjectBuilder::new()
        .with("items", listed.items.iter().map(item).collect::<Json>())
        .with("has_more", has_more)
        .with("continuation_token", has_more.then_some(next))
        .with("total", listed.total)
        .into()
}
