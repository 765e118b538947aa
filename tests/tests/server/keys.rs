//! API keys and workspaces: who may make which, when they stop, and what the audit log says.

use std::time::Duration;

use callout::Json;
use callout_store::{Permission, Role};

use super::{Server, integration};

#[tokio::test]
async fn a_key_is_made_shown_once_rotated_and_deleted() {
    let server = Server::start().await;
    let made =
        server.ask("POST", "/api-keys", Some(r#"{"duration_days":7,"name":"ci","role":"viewer"}"#)).await.expect(201);
    let (id, key) = (made.text_at("key_id"), made.text_at("api_key"));
    assert!(key.starts_with("callout_"), "{key}");
    let listed = server.ask("GET", "/api-keys", None).await.expect(200);
    assert!(listed.text.contains(&id) && !listed.text.contains(&key), "a key is listed without its secret");
    assert!(!listed.text.contains("api_key\""));

    let list = server.path("/integrations");
    server.ask_as(Some(&key), "GET", &list, None).await.expect(200);
    let rotated = server.ask("POST", &format!("/api-keys/{id}/rotate"), None).await.expect(200);
    assert_eq!(rotated.text_at("key_id"), id);
    server.ask_as(Some(&key), "GET", &list, None).await.expect(401);
    let key = rotated.text_at("api_key");
    server.ask_as(Some(&key), "GET", &list, None).await.expect(200);
    server.ask("DELETE", &format!("/api-keys/{id}"), None).await.expect(204);
    server.ask_as(Some(&key), "GET", &list, None).await.expect(401);
    server.ask("DELETE", &format!("/api-keys/{id}"), None).await.expect(404);
}

#[tokio::test]
async fn a_key_deleted_elsewhere_stops_within_a_second() {
    let server = Server::start().await;
    let (id, key) = server.key(Role::Viewer, &[]).await;
    let list = server.path("/integrations");
    server.ask_as(Some(&key), "GET", &list, None).await.expect(200);
    // Not through this server, which would know at once.
    server.store.delete_api_key(server.workspace, id, &super::harness::actor()).await.unwrap();
    server.clock.advance(Duration::from_secs(1));
    server.ask_as(Some(&key), "GET", &list, None).await.expect(401);
}

#[tokio::test]
async fn a_key_ends_on_its_day() {
    let server = Server::start().await;
    let (_, key) = server.key(Role::Viewer, &[]).await;
    let (id, other) = server.key(Role::Viewer, &[]).await;
    let list = server.path("/integrations");
    let minutes = |many: u64| Duration::from_mins(many);
    let days = 30 * 24 * 60;
    server.clock.advance(minutes(days - 1));
    for key in [&key, &other] {
        server.ask_as(Some(key), "GET", &list, None).await.expect(200);
    }
    // One that is rotated has its days from then on.
    let rotated = server.ask("POST", &format!("/api-keys/{id}/rotate"), None).await.expect(200).text_at("api_key");
    server.clock.advance(Duration::from_secs(61));
    server.ask_as(Some(&key), "GET", &list, None).await.expect(401);
    server.ask_as(Some(&rotated), "GET", &list, None).await.expect(200);
    server.clock.advance(minutes(days - 3));
    server.ask_as(Some(&rotated), "GET", &list, None).await.expect(200);
    server.clock.advance(minutes(3));
    server.ask_as(Some(&rotated), "GET", &list, None).await.expect(401);
}

#[tokio::test]
async fn a_key_grants_no_more_than_its_maker_has() {
    let server = Server::start().await;
    let (_, admin) = server.key(Role::Admin, &[]).await;
    let (_, maker) = server.key(Role::Viewer, &[Permission::ApiKeyCreate]).await;
    let path = server.path("/api-keys");
    let made = async |key: &str, role: &str, permissions: &str| {
        let body = format!(r#"{{"duration_days":1,"role":"{role}","permissions":[{permissions}]}}"#);
        server.ask_as(Some(key), "POST", &path, Some(&body)).await.status
    };
    for (role, permissions, by_admin, by_maker) in [
        ("viewer", "", 201, 201),
        ("member", "", 201, 403),
        ("admin", "", 201, 403),
        ("owner", "", 403, 403),
        ("viewer", r#""Integration.delete""#, 201, 403),
        ("viewer", r#""ApiKey.create""#, 201, 201),
        ("viewer", r#""Workspace.delete""#, 403, 403),
        ("operator", "", 422, 422),
        ("viewer", r#""Everything""#, 422, 422),
    ] {
        assert_eq!(made(&admin, role, permissions).await, by_admin, "admin makes {role} {permissions}");
        assert_eq!(made(&maker, role, permissions).await, by_maker, "viewer makes {role} {permissions}");
    }
    // Rotating a key would hand it over.
    let (owner, _) = server.key(Role::Owner, &[]).await;
    server.ask_as(Some(&admin), "POST", &format!("{path}/{owner}/rotate"), None).await.expect(403);
}

#[tokio::test]
async fn what_a_new_key_may_say() {
    let server = Server::start().await;
    let made = server.ask("POST", "/api-keys", Some(r#"{"duration_days":90}"#)).await.expect(201);
    assert_eq!(
        (made.text_at("role"), made.at("name"), made.at("permissions")),
        ("member".to_owned(), Json::Null, Json::from(Vec::<Json>::new()))
    );
    for integer in ["90.0", "9e1", "1"] {
        server.ask("POST", "/api-keys", Some(&format!(r#"{{"duration_days":{integer}}}"#))).await.expect(201);
    }
    for (body, place) in [
        ("{}", "duration_days"),
        (r#"{"duration_days":0}"#, "duration_days"),
        (r#"{"duration_days":91}"#, "duration_days"),
        (r#"{"duration_days":"7"}"#, "duration_days"),
        (r#"{"duration_days":1.5}"#, "duration_days"),
        (r#"{"duration_days":1,"name":""}"#, "name"),
        (r#"{"duration_days":1,"name":"a\u0000b"}"#, "name"),
        (r#"{"duration_days":1,"role":"king"}"#, "role"),
        (r#"{"duration_days":1,"permissions":"all"}"#, "permissions"),
    ] {
        let refused = server.ask("POST", "/api-keys", Some(body)).await.expect(422);
        assert_eq!(refused.at("detail.0.loc").to_string(), format!(r#"["body","{place}"]"#), "{body}");
    }
}

#[tokio::test]
async fn workspaces_are_the_operators() {
    let server = Server::start().await;
    let operator = Some(server.operator.as_str());
    let owner = Some(server.owner.as_str());
    server.ask_as(owner, "GET", "/v1/workspaces", None).await.expect(403);
    server.ask_as(owner, "POST", "/v1/workspaces", Some(r#"{"name":"x"}"#)).await.expect(403);
    let made = server.ask_as(operator, "POST", "/v1/workspaces", Some(r#"{"name":"second"}"#)).await.expect(201);
    let id = made.text_at("id");
    let taken = server.ask_as(operator, "POST", "/v1/workspaces", Some(r#"{"name":"second"}"#)).await.expect(409);
    assert_eq!(taken.text_at("error_code"), "name_taken");
    assert_eq!(taken.text_at("detail"), r#"the name "second" is taken"#);
    let listed = server.ask_as(operator, "GET", "/v1/workspaces", None).await.expect(200);
    assert_eq!(listed.at("total"), Json::from(2));
    // The operator's right reaches every workspace, and only the operator learns which there are.
    let body = integration("shop", "https://a.example");
    server.ask_as(operator, "POST", &format!("/v1/{id}/integrations"), Some(&body)).await.expect(201);
    let absent = "00000000-0000-4000-8000-000000000000";
    server.ask_as(operator, "GET", &format!("/v1/{absent}/integrations"), None).await.expect(404);
    let (foreign, none) = (
        server.ask_as(owner, "GET", &format!("/v1/{id}/integrations"), None).await.expect(403),
        server.ask_as(owner, "GET", &format!("/v1/{absent}/integrations"), None).await.expect(403),
    );
    assert_eq!(foreign.text_at("detail"), none.text_at("detail"));
    server.ask_as(owner, "DELETE", &format!("/v1/workspaces/{id}"), None).await.expect(403);
    server.ask_as(operator, "DELETE", &format!("/v1/workspaces/{id}"), None).await.expect(204);
    server.ask_as(operator, "GET", &format!("/v1/{id}/integrations"), None).await.expect(404);
    // The owner may delete their own; their key ends with it.
    server.ask_as(owner, "DELETE", &format!("/v1/workspaces/{}", server.workspace), None).await.expect(204);
    server.ask_as(owner, "GET", &server.path("/integrations"), None).await.expect(401);
}
