//! Lists: filtered, searched, sorted and in pages.

use callout_core::config::{IntegrationConfig, Protocol};
use futures_util::{Stream, TryStreamExt};
use uuid::Uuid;

use crate::{
    Store,
    database::{On, row, rows, rows_within},
    error::Result,
    integrations::{IntegrationRow, StoredIntegration, UnreadIntegration, columns},
};

/// Bytes of configs, as they are stored, after which a page of integrations ends though its limit allows
/// more; it holds one at least. A hundred large ones would be a hundred megabytes in memory otherwise.
pub const MAX_PAGE_BYTES: usize = 8 << 20;

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many. Default 100. Integrations end at [`MAX_PAGE_BYTES`] too.
    pub limit: u32,
    /// So many are passed over. Default 0.
    pub offset: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 100, offset: 0 }
    }
}

impl Page {
    pub(crate) fn bounds(self) -> (i64, i64) {
        (self.limit.into(), i64::try_from(self.offset).unwrap_or(i64::MAX))
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What is on the page.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
}

impl<T> Listed<T> {
    pub(crate) fn of<R>(rows: Vec<R>, total: Option<(i64,)>, read: impl Fn(R) -> Result<T>) -> Result<Self> {
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Self { items, total: total.map_or(0, |(total,)| total as u64) })
    }
}

impl Listed<UnreadIntegration> {
    /// Reads each.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`](crate::StoreError::Damaged) if one holds what this program cannot read.
    pub fn read(self) -> Result<Listed<StoredIntegration>> {
        let items = self.items.into_iter().map(UnreadIntegration::read).collect::<Result<_>>()?;
        Ok(Listed { items, total: self.total })
    }
}

/// What integrations are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// Their name, in byte order.
    Name,
    /// When they were created. The default.
    #[default]
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
}

/// An order of integrations; ties are broken by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Default for Sort {
    /// Newest first.
    fn default() -> Self {
        Self { by: SortBy::CreatedAt, descending: true }
    }
}

/// Which integrations, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only those that are enabled, or are not.
    pub enabled: Option<bool>,
    /// Only those of that protocol.
    pub protocol: Option<Protocol>,
    /// Only those whose name, display name or id holds this text, in any case.
    pub search: Option<String>,
    /// In which order.
    pub sort: Sort,
    /// Which part.
    pub page: Page,
}

impl ListQuery {
    /// As the statements take it: enabled, protocol, the pattern of the search, limit and offset.
    fn bound(&self) -> (i64, &'static str, String, i64, i64) {
        let enabled = self.enabled.map_or(EITHER, i64::from);
        let protocol = self.protocol.map_or(ANY, Protocol::as_str);
        let search = pattern(self.search.as_deref().unwrap_or_default());
        let (limit, offset) = self.page.bounds();
        (enabled, protocol, search, limit, offset)
    }
}

impl Store {
    /// The integrations of a workspace; none if there is no such workspace.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable)
    pub async fn list_integrations(&self, workspace: Uuid, query: &ListQuery) -> Result<Listed<StoredIntegration>> {
        self.list_unread_integrations(workspace, query).await?.read()
    }

    /// As [`Store::list_integrations`], and not read yet: a page of [`MAX_PAGE_BYTES`] takes a tenth of a second.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`](crate::StoreError::Unavailable)
    pub async fn list_unread_integrations(
        &self,
        workspace: Uuid,
        query: &ListQuery,
    ) -> Result<Listed<UnreadIntegration>> {
        let mut on = self.0.database.read().await?;
        let workspace = workspace.to_string();
        let (enabled, protocol, search, limit, offset) = query.bound();
        let is_filtered = enabled != EITHER || protocol != ANY || search != "%";
        let total: Option<(i64,)> = if is_filtered {
            row!(on, concat!("SELECT COUNT(*)", matching!()), &workspace, enabled, protocol, &search)?
        } else {
            row!(on, "SELECT COUNT(*) FROM integrations WHERE workspace_id = $1", &workspace)?
        };
        let select = statement(query.sort)[SELECT];
        let found =
            rows_within!(Bytes(MAX_PAGE_BYTES), on, select, &workspace, enabled, protocol, &search, limit, offset)?;
        Listed::of(found, total, |row| Ok(UnreadIntegration(row)))
    }

    /// How the database goes about [`Store::list_integrations`], in its own words: for a test that no
    /// list sorts all there is.
    #[doc(hidden)]
    pub async fn explain_list(&self, workspace: Uuid, query: &ListQuery) -> Result<Vec<String>> {
        let mut on = self.0.database.read().await?;
        let workspace = workspace.to_string();
        let (enabled, protocol, search, limit, offset) = query.bound();
        if let On::Postgres(_) = on {
            let plan: Vec<(String,)> =
                rows!(on, statement(query.sort)[EXPLAIN], &workspace, enabled, protocol, &search, limit, offset)?;
            return Ok(plan.into_iter().map(|(line,)| line).collect());
        }
        let plan: Vec<(i64, i64, i64, String)> = rows!(
            on,
            statement(query.sort)[EXPLAIN_QUERY_PLAN],
            &workspace,
            enabled,
            protocol,
            &search,
            limit,
            offset
        )?;
        Ok(plan.into_iter().map(|(_, _, _, line)| line).collect())
    }
}

/// What is left of a page's bytes.
struct Bytes(usize);

impl Bytes {
    /// The first rows that fit, the very first in any case.
    async fn take(
        mut self,
        mut rows: impl Stream<Item = sqlx::Result<IntegrationRow>> + Unpin,
    ) -> sqlx::Result<Vec<IntegrationRow>> {
        let mut taken = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let (_, _, config, ..) = &row;
            let left = self.0.checked_sub(config.len());
            if left.is_none() && !taken.is_empty() {
                break;
            }
            self.0 = left.unwrap_or(0);
            taken.push(row);
        }
        Ok(taken)
    }
}

/// Stands for both in a filter by `enabled`.
const EITHER: i64 = -1;
/// Stands for all in a filter by `protocol`.
const ANY: &str = "";

/// The filters: workspace, enabled, protocol, search. Where one is not asked for, no column is looked at: SQLite then
/// passes over the rows of earlier pages in the index alone.
macro_rules! matching {
    () => {
        " FROM integrations WHERE workspace_id = $1 AND ($2 = -1 OR enabled = $2) AND ($3 = '' OR protocol = $3) \
         AND ($4 = '%' OR search_text LIKE $4 ESCAPE '\\')"
    };
}
use matching;

const SELECT: usize = 0;
const EXPLAIN: usize = 1;
const EXPLAIN_QUERY_PLAN: usize = 2;

/// One page in that order, and how PostgreSQL and SQLite explain it.
fn statement(sort: Sort) -> [&'static str; 3] {
    macro_rules! page {
        ($explain:literal, $order:literal) => {
            concat!($explain, "SELECT ", columns!(), matching!(), " ORDER BY ", $order, " LIMIT $5 OFFSET $6")
        };
    }
    macro_rules! in_order {
        ($order:literal) => {
            [page!("", $order), page!("EXPLAIN ", $order), page!("EXPLAIN QUERY PLAN ", $order)]
        };
    }
    match (sort.by, sort.descending) {
        (SortBy::Name, false) => in_order!("name"),
        (SortBy::Name, true) => in_order!("name DESC"),
        (SortBy::CreatedAt, false) => in_order!("created_at, id"),
        (SortBy::CreatedAt, true) => in_order!("created_at DESC, id DESC"),
        (SortBy::UpdatedAt, false) => in_order!("updated_at, id"),
        (SortBy::UpdatedAt, true) => in_order!("updated_at DESC, id DESC"),
    }
}

/// Name, display name and id as they are searched: in lower case, with a line's end between them,
/// which no search holds.
pub(crate) fn search_text(config: &IntegrationConfig, id: Uuid) -> String {
    format!("{}\n{}\n{id}", folded(&config.name), folded(&config.display_name))
}

/// The pattern of `LIKE` for texts that hold this one.
fn pattern(search: &str) -> String {
    if search.is_empty() {
        return "%".to_owned();
    }
    let mut pattern = String::from("%");
    // What is longer than any name is found nowhere, and SQLite refuses long patterns.
    for found in folded(search).chars().take(1024) {
        if matches!(found, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(found);
    }
    pattern.push('%');
    pattern
}

/// In lower case, letter by letter, so that a part of a text is folded as it is within the whole; control characters
/// (a NUL, which PostgreSQL's texts do not hold, and a line's end among them) all alike.
fn folded(text: &str) -> String {
    let alike = |found: char| match found {
        // A Greek word ends with another small sigma, whose capital is the same.
        'ς' => 'σ',
        found if found.is_control() => '\u{fffd}',
        found => found,
    };
    text.chars().flat_map(char::to_lowercase).map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_literal_and_control_characters_do_not_span_fields() {
        assert_eq!(pattern(""), "%");
        assert_eq!(pattern(r"50%_\É"), r"%50\%\_\\é%");
        assert_eq!(pattern("a\nb\0"), "%a\u{fffd}b\u{fffd}%");
        assert_eq!(pattern("ΟΔΟΣ οδος İ"), "%οδοσ οδοσ i\u{307}%");
        let mut config = IntegrationConfig::new("github", "");
        config.display_name = "Git\nHub".to_owned();
        let text = search_text(&config, Uuid::nil());
        assert_eq!(text, "github\ngit\u{fffd}hub\n00000000-0000-0000-0000-000000000000");
    }
}
