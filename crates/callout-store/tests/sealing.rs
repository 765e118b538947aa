//! Sealed secrets on both databases: a row that was swapped, moved, rolled back or damaged does not
//! open, and no form of a secret stands anywhere in the database.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use callout_core::{
    config::{AuthConfig, AuthType, IntegrationConfig},
    secret::{ExposeSecret, SecretName, Secrets},
};
use callout_store::{
    IntegrationChange, NewApiKey, NewIntegration, Role, SecretBackend, SharedSecretStore, Store, StoreError,
    secrets::MemorySecrets,
};
use support::{Database, kind, me, secret, with_token, workspace};

on_both! {
    a_row_that_was_tampered_with_does_not_open,
    secrets_are_kept_in_one_place,
    an_env_is_part_of_a_path,
    any_text_is_sealed_and_opened,
    no_form_of_a_secret_is_in_the_database,
    what_was_sealed_is_overwritten_when_it_is_deleted,
}

/// The attacks: each a statement that an attacker with write access to the database may run. `{a}` and
/// `{b}` are two integrations, `{blob:…}` is bytes in hex.
const ATTACKS: [(&str, &str); 13] = [
    ("flipped bit", "UPDATE sealed_secrets SET ciphertext = {blob:flipped} WHERE integration_id = '{a}'"),
    ("flipped bit of the tag", "UPDATE sealed_secrets SET ciphertext = {blob:tag} WHERE integration_id = '{a}'"),
    ("cut", "UPDATE sealed_secrets SET ciphertext = {blob:cut} WHERE integration_id = '{a}'"),
    ("empty", "UPDATE sealed_secrets SET ciphertext = {blob:} WHERE integration_id = '{a}'"),
    ("another nonce", "UPDATE sealed_secrets SET nonce = {blob:000000000000000000000000} WHERE integration_id = '{a}'"),
    ("no nonce", "UPDATE sealed_secrets SET nonce = {blob:} WHERE integration_id = '{a}'"),
    (
        "swapped",
        "UPDATE sealed_secrets SET (nonce, ciphertext) = (SELECT nonce, ciphertext FROM sealed_secrets \
         WHERE integration_id = '{b}') WHERE integration_id = '{a}'",
    ),
    (
        "moved",
        "UPDATE sealed_secrets SET path = replace(path, '{b}', '{a}'), integration_id = '{a}', version = 2 \
         WHERE integration_id = '{b}'",
    ),
    (
        "rolled back",
        "UPDATE sealed_secrets SET nonce = {blob:old_nonce}, ciphertext = {blob:old} WHERE integration_id = '{a}'",
    ),
    ("older version", "UPDATE sealed_secrets SET version = 1 WHERE integration_id = '{a}'"),
    ("other key id", "UPDATE sealed_secrets SET key_id = 'other' WHERE integration_id = '{a}'"),
    ("deleted", "DELETE FROM sealed_secrets WHERE integration_id = '{a}'"),
    (
        "named for another secret",
        "UPDATE sealed_secrets SET path = replace(path, 'bearer_token', 'api_key') WHERE integration_id = '{a}'",
    ),
];

async fn a_row_that_was_tampered_with_does_not_open(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    for (attack, statement) in ATTACKS {
        let a = store.create_integration(workspace.id, with_token("aa", "token of a, old"), &me()).await.unwrap();
        let b = store.create_integration(workspace.id, with_token("bb", "token of b, now"), &me()).await.unwrap();
        let of_a = format!("WHERE integration_id = '{}'", a.id);
        let [old, old_nonce] = ["ciphertext", "nonce"].map(|column| database.hex(column, &of_a));
        let (old, old_nonce) = (old.await, old_nonce.await);
        let secrets = Secrets::new().with(SecretName::BearerToken, "token of a, new");
        let change = IntegrationChange::new(a.config.clone(), secrets);
        let a = store.update_integration(&a, change, &me()).await.unwrap();
        assert_eq!(secret(&store, &a, SecretName::BearerToken).await.as_deref(), Some("token of a, new"));
        let now = database.hex("ciphertext", &of_a).await;
        let flip = |at: usize| {
            let digit = u8::from_str_radix(&now[at..=at], 16).unwrap() ^ 1;
            format!("{}{digit:x}{}", &now[..at], &now[at + 1..])
        };
        if attack == "moved" {
            database.execute(&format!("DELETE FROM sealed_secrets {of_a}")).await.unwrap();
        }
        if attack == "other key id" {
            let insert = "INSERT INTO master_keys (key_id, nonce, ciphertext, current) \
                          SELECT 'other', nonce, ciphertext, 0 FROM master_keys";
            database.execute(insert).await.unwrap();
        }
        let mut statement = statement.replace("{a}", &a.id.to_string()).replace("{b}", &b.id.to_string());
        for (name, hex) in [
            ("flipped", flip(0)),
            ("tag", flip(now.len() - 1)),
            ("cut", now[2..].to_owned()),
            ("old_nonce", old_nonce.clone()),
            ("old", old.clone()),
        ] {
            statement = statement.replace(&format!("{{blob:{name}}}"), &format!("{{blob:{hex}}}"));
        }
        let statement = if database.is_postgres() {
            statement.replace("{blob:", "decode('").replace('}', "', 'hex')")
        } else {
            statement.replace("{blob:", "X'").replace('}', "'")
        };
        assert_eq!(database.execute(&statement).await, Ok(1), "{attack}");
        let error = store.secrets(&a).await.unwrap_err();
        if attack == "other key id" {
            // A key that is not to be had.
            assert_eq!(kind::<()>(Err(error)), "master key");
        } else {
            let StoreError::Sealed { path } = &error else { panic!("{attack}: {error}") };
            assert_eq!(*path, format!("/dev/integration-secrets/{}/{}/bearer_token", workspace.id, a.id), "{attack}");
            assert!(!error.to_string().contains("token of"));
        }
        // Giving it anew mends it.
        let secrets = Secrets::new().with(SecretName::BearerToken, "mended");
        let change = IntegrationChange::new(a.config.clone(), secrets);
        if let Ok(a) = store.update_integration(&a, change, &me()).await {
            assert_eq!(secret(&store, &a, SecretName::BearerToken).await.as_deref(), Some("mended"), "{attack}");
        }
        for one in [&a, &b] {
            store.delete_integration(workspace.id, one.id, &me()).await.unwrap();
        }
        database.execute("DELETE FROM sealed_secrets").await.unwrap();
        database.execute("DELETE FROM master_keys WHERE key_id = 'other'").await.unwrap();
    }
}

async fn secrets_are_kept_in_one_place(database: Database) {
    let outside = || SecretBackend::External(SharedSecretStore::new(MemorySecrets::new()));
    let in_prod = || database.options().with_env("prod");
    let (store, early) = (database.open().await, Store::open(in_prod()).await.unwrap());
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, with_token("aa", "t"), &me()).await.unwrap();
    // Opened before there was any, and since.
    let refused = [
        early.create_integration(workspace.id, with_token("bb", "t"), &me()).await.map(drop),
        early.delete_integration(workspace.id, one.id, &me()).await,
        early.delete_workspace(workspace.id, &me()).await,
        Store::open(in_prod()).await.map(drop),
        Store::open(database.options().with_secrets(outside())).await.map(drop),
    ];
    for refused in refused {
        let error = refused.unwrap_err();
        let told = error.to_string();
        assert!(told.contains("kept in the database under env \"dev\""), "{told}");
        assert_eq!(kind::<()>(Err(error)), "invalid");
    }
    assert_eq!(secret(&database.open().await, &one, SecretName::BearerToken).await.as_deref(), Some("t"));
    // A database from before this was written down: the sealed secrets tell.
    for statement in ["DROP TABLE secret_home", "DELETE FROM callout_schema WHERE version = 2"] {
        database.execute(statement).await.unwrap();
    }
    assert_eq!(kind(Store::open(in_prod()).await), "invalid");
    database.open().await;
    // Without any it may be another place.
    store.delete_integration(workspace.id, one.id, &me()).await.unwrap();
    let moved = Store::open(in_prod().with_secrets(outside())).await.unwrap();
    moved.create_integration(workspace.id, with_token("aa", "t"), &me()).await.unwrap();
    let refused = store.create_integration(workspace.id, with_token("bb", "t"), &me()).await.unwrap_err();
    assert!(refused.to_string().contains("kept in a store outside of it under env \"prod\""), "{refused}");
}

async fn an_env_is_part_of_a_path(database: Database) {
    for bad in ["", "a/b", "..", "é", &"x".repeat(65)] {
        assert_eq!(kind(Store::open(database.options().with_env(bad)).await), "invalid", "{bad:?}");
    }
}

async fn any_text_is_sealed_and_opened(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let long = "x".repeat(100_000);
    for (at, value) in ["", "\0", "é🛒\u{feff}", "' OR 1=1 --", "{secret}", &long].into_iter().enumerate() {
        let one = with_token(&format!("i{at}"), value);
        let one = store.create_integration(workspace.id, one, &me()).await.unwrap();
        assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some(value));
    }
}

async fn no_form_of_a_secret_is_in_the_database(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let mut canaries = Vec::new();
    let mut debugged = String::new();
    for (at, name) in SecretName::ALL.into_iter().enumerate() {
        let canary = format!("cänary/{name}+4711?&");
        let kind = [
            AuthType::ApiKeyHeader,
            AuthType::BearerToken,
            AuthType::OAuth2ClientCredentials,
            AuthType::OAuth2JwtBearer,
            AuthType::BearerTokenExchange,
        ][at];
        let config = IntegrationConfig::new(format!("i{at}"), "https://api.example").with_auth(AuthConfig::new(kind));
        let mut secrets = Secrets::new().with(kind.required_secret(), canary.clone());
        if kind == AuthType::OAuth2JwtBearer {
            secrets.insert(SecretName::ClientSecret, canary.clone());
        }
        let new = NewIntegration { config, secrets: secrets.clone(), builtin: false };
        let one = store.create_integration(workspace.id, new.clone(), &me()).await.unwrap();
        let change = IntegrationChange::new(one.config.clone(), secrets);
        debugged += &format!("{new:?} {one:?} {change:?}");
        let two = store.update_integration(&one, change, &me()).await.unwrap();
        debugged += &format!("{two:?} {:?} {:?}", store.secrets(&two).await, store);
        canaries.push(canary);
    }
    let id = Some(workspace.id);
    let new = NewApiKey { workspace_id: id, name: None, role: Role::Viewer, permissions: Vec::new(), days: 1 };
    let (key, shown) = store.create_api_key(new, &me()).await.unwrap();
    debugged += &format!("{key:?} {shown:?}");
    let random = shown.expose_secret().rsplit_once(&format!("{}_", key.id.simple())).unwrap().1.to_owned();
    let random_bytes = URL_SAFE_NO_PAD.decode(&random).unwrap();
    canaries.push(random);
    let master = fs::read_to_string(database.key_file()).unwrap();
    let master = master.trim().split_once(':').unwrap().1;
    let master_bytes = STANDARD.decode(master).unwrap();
    canaries.push(master.to_owned());
    store.rotate_master_key(&me()).await.unwrap();

    // Every form that may stand for one.
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for bytes in canaries.iter().map(|text| text.as_bytes().to_vec()).chain([random_bytes, master_bytes]) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        forms.extend(
            [hex.to_uppercase(), hex, STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes), percent]
                .map(String::into_bytes),
        );
        forms.push(bytes);
    }
    forms.extend(
        canaries
            .iter()
            .map(|text| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into_bytes()),
    );
    let mut places = vec![("Debug".to_owned(), debugged.into_bytes())];
    if database.is_postgres() {
        for table in database.texts("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await {
            let rows = database.texts(&format!("SELECT t::text FROM {table} AS t")).await.join("\n");
            places.push((table, rows.into_bytes()));
        }
        assert!(places.len() >= 8);
    } else {
        for entry in fs::read_dir(database.folder()).unwrap() {
            let path = entry.unwrap().path();
            if !path.to_string_lossy().contains("master.key") {
                places.push((path.display().to_string(), fs::read(path).unwrap()));
            }
        }
        assert!(places.iter().any(|(name, bytes)| name.ends_with("-wal") && bytes.len() > 10_000));
    }
    for (name, bytes) in places {
        for form in &forms {
            let found = bytes.windows(form.len()).any(|part| part == form);
            assert!(!found, "{} stands in {name}", String::from_utf8_lossy(form));
        }
    }
}

async fn what_was_sealed_is_overwritten_when_it_is_deleted(database: Database) {
    if database.is_postgres() {
        // Its rows go when it vacuums, and that is its own affair.
        return;
    }
    let store = database.open().await;
    let workspace = workspace(&store).await;
    // Long enough to fill pages of its own, beside a part in a page that others use too.
    let one = with_token("aa", &"x".repeat(20_000));
    let one = store.create_integration(workspace.id, one, &me()).await.unwrap();
    let hex = database.hex("ciphertext", "").await;
    let ciphertext: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let parts: Vec<&[u8]> = ciphertext.chunks(64).step_by(20).collect();
    let found = async || {
        // All of the log comes into the file, and the log is emptied.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        let mut bytes = fs::read(database.url()).unwrap();
        bytes.extend(fs::read(format!("{}-wal", database.url())).unwrap_or_default());
        parts.iter().filter(|part| bytes.windows(64).any(|window| window == **part)).count()
    };
    assert!(found().await > parts.len() / 2, "it stands in the file");
    store.delete_integration(workspace.id, one.id, &me()).await.unwrap();
    assert_eq!(found().await, 0);
}
