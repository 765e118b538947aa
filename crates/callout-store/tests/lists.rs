//! Lists on both databases, against a model: filters, search with its literal wildcards, every sort in
//! both directions with ties, pages; that a page ends at its bytes; and that each sort of 100 of 100,000
//! reads an index.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use callout_core::config::Protocol;
use callout_store::{ListQuery, MAX_PAGE_BYTES, Page, Sort, SortBy, Store, StoredIntegration};
use support::{Database, me, plain, workspace};

on_both! {
    lists_are_as_the_model_says,
    a_greek_word_is_found_in_any_case,
    each_sort_of_many_reads_an_index,
    a_page_ends_at_its_bytes,
    what_can_be_called_is_told_with_its_revision,
}

const SORTS: [Sort; 6] = [
    Sort { by: SortBy::Name, descending: false },
    Sort { by: SortBy::Name, descending: true },
    Sort { by: SortBy::CreatedAt, descending: false },
    Sort { by: SortBy::CreatedAt, descending: true },
    Sort { by: SortBy::UpdatedAt, descending: false },
    Sort { by: SortBy::UpdatedAt, descending: true },
];

fn model(all: &[StoredIntegration], query: &ListQuery) -> (Vec<String>, u64) {
    let search = query.search.as_deref().unwrap_or_default().to_lowercase();
    let mut found: Vec<_> = all
        .iter()
        .filter(|one| query.enabled.is_none_or(|enabled| one.config.enabled == enabled))
        .filter(|one| query.protocol.is_none_or(|protocol| one.config.protocol == protocol))
        .filter(|one| {
            [&one.config.name, &one.config.display_name, &one.id.to_string()]
                .iter()
                .any(|text| text.to_lowercase().contains(&search))
        })
        .collect();
    found.sort_by(|left, right| {
        let order = match query.sort.by {
            SortBy::Name => left.config.name.cmp(&right.config.name),
            SortBy::CreatedAt => left.created_at.cmp(&right.created_at),
            SortBy::UpdatedAt => left.updated_at.cmp(&right.updated_at),
        };
        let order = order.then(left.id.cmp(&right.id));
        if query.sort.descending { order.reverse() } else { order }
    });
    let page = found.iter().skip(query.page.offset as usize).take(query.page.limit as usize);
    (page.map(|one| one.config.name.clone()).collect(), found.len() as u64)
}

async fn lists_are_as_the_model_says(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let other = store.create_workspace("other", &me()).await.unwrap();
    store.create_integration(other.id, plain("elsewhere"), &me()).await.unwrap();
    let names = ["zeta", "a-b", "a_b", "a1", "ab", "a9", "b-1", "b1", "ba", "a--b", "a__b", "z9", "x5", "x55", "x_5"];
    let shown =
        ["100% sure", "under_score", r"back\slash", "ÉTÉ", "straße", "İstanbul", "日本 API", "a\nb", "", "ab\u{1}c"];
    for (at, name) in names.iter().enumerate() {
        let mut new = plain(name);
        new.config.display_name = String::from(shown[at % shown.len()]);
        new.config.enabled = at % 3 != 0;
        new.config.protocol = if at % 4 == 0 { Protocol::Desktop } else { Protocol::Rest };
        store.create_integration(workspace.id, new, &me()).await.unwrap();
    }
    // Ties, which the id breaks.
    database.execute("UPDATE integrations SET updated_at = 7 WHERE name > 'a9'").await.unwrap();
    database.execute("UPDATE integrations SET created_at = 5 WHERE name < 'b1'").await.unwrap();
    let all = ListQuery { page: Page { limit: 1000, offset: 0 }, ..ListQuery::default() };
    let all = store.list_integrations(workspace.id, &all).await.unwrap().items;
    assert_eq!(all.len(), names.len());

    let id = all[3].id.to_string();
    let searches = [
        "",
        "A",
        "_",
        "%",
        "\\",
        "é",
        "STRASSE",
        "SS",
        "ß",
        "İ",
        "日本",
        "a\nb",
        "\n",
        "b\na",
        "zzz",
        "-",
        &id,
        &id[..8],
        &id.to_uppercase(),
    ];
    let mut compared = 0;
    for sort in SORTS {
        for search in searches {
            for (enabled, protocol) in
                [(None, None), (Some(true), None), (Some(false), Some(Protocol::Rest)), (None, Some(Protocol::Desktop))]
            {
                for page in
                    [Page { limit: 4, offset: 0 }, Page { limit: 4, offset: 4 }, Page { limit: 100, offset: 14 }]
                {
                    let search = Some(search.to_owned());
                    let query = ListQuery { enabled, protocol, search, sort, page };
                    // In a display name a line's end is as any control character; in the model it is not.
                    if query.search.as_deref().is_some_and(|search| search.contains('\n')) {
                        continue;
                    }
                    let listed = store.list_integrations(workspace.id, &query).await.unwrap();
                    let names: Vec<_> = listed.items.iter().map(|one| one.config.name.clone()).collect();
                    assert_eq!((names, listed.total), model(&all, &query), "{query:?}");
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 1000, "{compared}");

    // No search spans two fields, and none is too long.
    for (search, total) in
        [("zeta\n100", 0), ("zeta\u{fffd}100", 0), ("a\nb", 1), (&*"x".repeat(100_000), 0), ("\0", 2)]
    {
        let query = ListQuery { search: Some(search.to_owned()), ..ListQuery::default() };
        assert_eq!(store.list_integrations(workspace.id, &query).await.unwrap().total, total);
    }
    let far = ListQuery { page: Page { limit: 10, offset: u64::MAX }, ..ListQuery::default() };
    let far = store.list_integrations(workspace.id, &far).await.unwrap();
    assert_eq!((far.items.len(), far.total), (0, names.len() as u64));
}

async fn a_greek_word_is_found_in_any_case(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let mut new = plain("aa");
    new.config.display_name = String::from("ΟΔΥΣΣΕΥΣ");
    store.create_integration(workspace.id, new, &me()).await.unwrap();
    let found = async |store: &Store| {
        for search in ["ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ", "ΟΔΥΣ", "ΣΕΥΣ", "ευς", "Σ", "ς"]
        {
            let query = ListQuery { search: Some(search.to_owned()), ..ListQuery::default() };
            assert_eq!(store.list_integrations(workspace.id, &query).await.unwrap().total, 1, "{search}");
        }
    };
    found(&store).await;
    // One that was stored before its letters were so.
    for statement in [
        "UPDATE integrations SET search_text = replace(search_text, 'υσ', 'υς')",
        "DROP TABLE secret_home",
        "DELETE FROM callout_schema WHERE version = 2",
    ] {
        database.execute(statement).await.unwrap();
    }
    found(&database.open().await).await;
}

async fn each_sort_of_many_reads_an_index(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let stored = store.create_integration(workspace.id, plain("template"), &me()).await.unwrap();
    let numbers = if database.is_postgres() {
        "SELECT generate_series(1, 100000) AS n"
    } else {
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000) SELECT n FROM numbers"
    };
    let id = if database.is_postgres() { "lpad(to_hex(n), 8, '0')" } else { "printf('%08x', n)" };
    let seeded = database
        .execute(&format!(
            "INSERT INTO integrations (id, workspace_id, name, search_text, protocol, enabled, builtin, config, \
             secret_versions, revision, created_at, updated_at) \
             SELECT {id} || '-0000-7000-8000-000000000000', workspace_id, 'name-' || n, 'name-' || n, protocol, enabled, builtin, config, \
             secret_versions, revision, created_at + n, updated_at - n FROM integrations, ({numbers}) AS many WHERE id = '{}'",
            stored.id
        ))
        .await;
    assert_eq!(seeded, Ok(100_000));
    database.execute("ANALYZE").await.unwrap();
    for sort in SORTS {
        for search in [None, Some("name-9".to_owned())] {
            let query = ListQuery { sort, search, ..ListQuery::default() };
            let plan = store.explain_list(workspace.id, &query).await.unwrap().join("\n");
            let index = match sort.by {
                SortBy::Name => ["integrations_workspace_id_name_key", "sqlite_autoindex_integrations_2"],
                SortBy::CreatedAt => ["integrations_by_created_at"; 2],
                SortBy::UpdatedAt => ["integrations_by_updated_at"; 2],
            };
            assert!(index.iter().any(|index| plan.contains(index)), "{sort:?}\n{plan}");
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("Sort"), "{sort:?}\n{plan}");
        }
    }
    let page = Page { limit: 1, offset: 0 };
    let query = ListQuery { sort: SORTS[0], search: Some("template".to_owned()), page, ..ListQuery::default() };
    assert_eq!(store.list_integrations(workspace.id, &query).await.unwrap().total, 1);
    assert_eq!(
        store.list_integrations(workspace.id, &ListQuery { page, ..ListQuery::default() }).await.unwrap().total,
        100_001
    );
}

async fn a_page_ends_at_its_bytes(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    // In the order of their names: three that fill a page, one that is larger than a page, one that is small.
    let sizes = [MAX_PAGE_BYTES / 3 - 1000; 3].into_iter().chain([MAX_PAGE_BYTES + 1, 10]);
    for (at, size) in sizes.enumerate() {
        let mut new = plain(&format!("n{at}"));
        new.config.display_name = "x".repeat(size);
        store.create_integration(workspace.id, new, &me()).await.unwrap();
    }
    for (offset, shown) in [(0, 3), (1, 2), (3, 1), (4, 1), (5, 0)] {
        let query = ListQuery { sort: SORTS[0], page: Page { limit: 100, offset }, ..ListQuery::default() };
        let listed = store.list_integrations(workspace.id, &query).await.unwrap();
        let names: Vec<_> = listed.items.iter().map(|one| one.config.name.clone()).collect();
        let expected: Vec<_> = (offset..).take(shown).map(|at| format!("n{at}")).collect();
        assert_eq!((names, listed.total), (expected, 5));
    }
}

async fn what_can_be_called_is_told_with_its_revision(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let other = store.create_workspace("other", &me()).await.unwrap();
    store.create_integration(other.id, plain("elsewhere"), &me()).await.unwrap();
    let mut stored = Vec::new();
    for (name, enabled, protocol) in [
        ("b1", true, Protocol::Rest),
        ("a1", true, Protocol::Rest),
        ("off", false, Protocol::Rest),
        ("app", true, Protocol::Desktop),
    ] {
        let mut new = plain(name);
        new.config.enabled = enabled;
        new.config.protocol = protocol;
        stored.push(store.create_integration(workspace.id, new, &me()).await.unwrap());
    }
    let of = |at: usize| (stored[at].id, stored[at].revision);
    assert_eq!(store.callable_revisions(workspace.id, 10).await.unwrap(), [of(1), of(0)]);
    assert_eq!(store.callable_revisions(workspace.id, 1).await.unwrap(), [of(1)]);
    let mut config = stored[1].config.clone();
    config.display_name.push('!');
    let change = callout_store::IntegrationChange::new(config, callout_core::secret::Secrets::new());
    let changed = store.update_integration(&stored[1], change, &me()).await.unwrap();
    assert_eq!(store.callable_revisions(workspace.id, 1).await.unwrap(), [(changed.id, changed.revision)]);
    assert_ne!(changed.revision, stored[1].revision);
}
