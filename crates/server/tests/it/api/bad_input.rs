//! Input that cannot be carried out: it is told exactly what is wrong, and changes nothing.

mod values;

use keyward_client::CreateVirtualKey;
use serde_json::Value;

use super::{CUSTOMERS, PROVIDERS, TEAMS, VIRTUAL_KEYS};
use crate::harness::{App, Reply};

/// Everything that the API can show.
async fn everything(app: &App) -> Vec<Value> {
    let mut lists = Vec::new();
    for path in [VIRTUAL_KEYS, TEAMS, CUSTOMERS, PROVIDERS, "/api/mcp/clients"] {
        lists.push(app.raw("GET", path).send().await.json());
    }
    lists
}

/// Sends a body and checks that the server says what it should and has changed nothing.
async fn refuse(app: &App, method: &str, path: &str, body: impl Into<Vec<u8>>, expected: (&str, &str)) -> Reply {
    let (before, body) = (everything(app).await, body.into());
    let reply = app.raw(method, path).body(body.clone()).send().await;
    let called = format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(200)]));
    assert_eq!(reply.status, 400, "{called}: {}", reply.json());
    let (_, code, param) = reply.error();
    assert_eq!((code.as_str(), param.as_str()), expected, "{called}: {}", reply.json()["error"]["message"]);
    assert_eq!(everything(app).await, before, "{called}");
    reply
}

async fn with_key() -> (App, String) {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    (app, format!("{VIRTUAL_KEYS}/{}", key.id))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_is_refused() {
    let (app, one) = with_key().await;
    let deep = |open: &str, close: &str| format!(r#"{{"name":{}1{}}}"#, open.repeat(10_000), close.repeat(10_000));
    for body in [
        &b""[..],
        b"{",
        b"nonsense",
        b"{\"name\":\"x\"} {}",
        b"{\"name\":\"x\",}",
        b"{'name':'x'}",
        b"{\"name\":\"x",
        b"{\"name\":\"\xff\xfe\"}",
        b"{\"name\":\"\xc0\xaf\"}",
        br#"{"name":"\ud800"}"#,
        br#"{"name":"\udc00\ud800"}"#,
        br#"{"name":"\x"}"#,
        b"{\"name\":\"a\0b\"}",
        b"{\"name\":\"x\",\"budget\":{\"max_limit\":01,\"reset_duration\":\"1d\"}}",
        b"{\"name\":\"x\",\"budget\":{\"max_limit\":NaN,\"reset_duration\":\"1d\"}}",
        b"\xef\xbb\xbf{\"name\":\"x\"}",
    ] {
        for (method, path) in [("POST", VIRTUAL_KEYS), ("PUT", &one), ("POST", TEAMS), ("POST", CUSTOMERS)] {
            let reply = refuse(&app, method, path, body, ("invalid_json", "")).await;
            assert!(reply.json()["error"]["message"].as_str().unwrap().starts_with("Invalid JSON"));
        }
    }
    for body in [deep("[", "]"), deep("{\"a\":", "}"), deep("[", ""), "[".repeat(10_000)] {
        let reply = app.raw("POST", VIRTUAL_KEYS).body(body.clone()).send().await;
        assert_eq!(reply.error().0, 400, "{}", &body[..40]);
    }
    // A number is read as money before it is looked at: it must not be read as deep as it is written.
    let body = format!(r#"{{"name":"x","budget":{{"max_limit":{}}}}}"#, "[".repeat(100_000));
    assert_eq!(app.raw("POST", VIRTUAL_KEYS).body(body).send().await.error().0, 400);
    assert_eq!(everything(&app).await[0]["total_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_of_the_wrong_type_are_pointed_at() {
    let (app, one) = with_key().await;
    for (body, param) in [
        (r#"{"name":7}"#, "/name"),
        (r#"{"name":"x","is_active":"yes"}"#, "/is_active"),
        (r#"{"name":"x","budget":7}"#, "/budget"),
        (r#"{"name":"x","budgets":{}}"#, "/budgets"),
        (r#"{"name":"x","budget":{"max_limit":"1","reset_duration":"1d"}}"#, "/budget/max_limit"),
        (r#"{"name":"x","budgets":[{"max_limit":1,"reset_duration":"1d"},{"max_limit":[1]}]}"#, "/budgets/1/max_limit"),
        (r#"{"name":"x","budget":{"max_limit":1,"reset_duration":86400}}"#, "/budget/reset_duration"),
        (r#"{"name":"x","rate_limit":{"token_max_limit":1.5}}"#, "/rate_limit/token_max_limit"),
        (r#"{"name":"x","rate_limit":{"token_max_limit":9223372036854775808}}"#, "/rate_limit/token_max_limit"),
        (r#"{"name":"x","rate_limit":{"request_max_limit":1e3}}"#, "/rate_limit/request_max_limit"),
        (r#"{"name":"x","provider_configs":[{"provider":7}]}"#, "/provider_configs/0/provider"),
        (r#"{"name":"x","provider_configs":[{"weight":"1"}]}"#, "/provider_configs/0/weight"),
        (
            r#"{"name":"x","provider_configs":[{},{"budgets":[{"max_limit":{}}]}]}"#,
            "/provider_configs/1/budgets/0/max_limit",
        ),
        (r#"{"name":"x","provider_configs":[{"allowed_models":[7]}]}"#, "/provider_configs/0/allowed_models/0"),
        (r#"{"name":"x","key_ids":"all"}"#, "/key_ids"),
        (r#"{"name":"x","expires_at":1893456000}"#, "/expires_at"),
    ] {
        refuse(&app, "POST", VIRTUAL_KEYS, body, ("invalid_request", param)).await;
        refuse(&app, "PUT", &one, body, ("invalid_request", param)).await;
    }
    for body in ["null", "7", "\"x\"", "true"] {
        refuse(&app, "POST", VIRTUAL_KEYS, body, ("invalid_request", "")).await;
    }
    // Whoever sends a member twice means one of them.
    refuse(&app, "POST", VIRTUAL_KEYS, r#"{"name":"x","name":"y"}"#, ("invalid_request", "")).await;
    let twice = r#"{"name":"x","budget":{"max_limit":1,"max_limit":2,"reset_duration":"1d"}}"#;
    refuse(&app, "POST", VIRTUAL_KEYS, twice, ("invalid_request", "/budget")).await;
}

/// A cap is never lost to a typo.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_members_are_named_with_the_nearest_known_one() {
    let (app, one) = with_key().await;
    for (method, path, body, param, message) in [
        ("POST", VIRTUAL_KEYS, r#"{"name":"x","budgt":{}}"#, "/budgt", "unknown field 'budgt'; did you mean 'budget'?"),
        ("PUT", &one, r#"{"is_activ":false}"#, "/is_activ", "unknown field 'is_activ'; did you mean 'is_active'?"),
        ("POST", VIRTUAL_KEYS, r#"{"name":"x","zzz":1}"#, "/zzz", "unknown field 'zzz'"),
        ("POST", VIRTUAL_KEYS, r#"{"name":"x","":1}"#, "/", "unknown field ''"),
        ("POST", VIRTUAL_KEYS, r#"{"Name":"x"}"#, "/Name", "unknown field 'Name'; did you mean 'name'?"),
        (
            "POST",
            VIRTUAL_KEYS,
            r#"{"name":"x","budget":{"max_limt":5,"reset_duration":"1d"}}"#,
            "/budget/max_limt",
            "unknown field 'max_limt'; did you mean 'max_limit'?",
        ),
        (
            "PUT",
            &one,
            r#"{"provider_configs":[{"provider":"demo"},{"rate_limit":{"tokens_max_limit":1}}]}"#,
            "/provider_configs/1/rate_limit/tokens_max_limit",
            "unknown field 'tokens_max_limit'; did you mean 'token_max_limit'?",
        ),
        (
            "POST",
            TEAMS,
            r#"{"name":"x","customer":"y"}"#,
            "/customer",
            "unknown field 'customer'; did you mean 'customer_id'?",
        ),
        (
            "POST",
            CUSTOMERS,
            r#"{"name":"x","rate_limits":{}}"#,
            "/rate_limits",
            "unknown field 'rate_limits'; did you mean 'rate_limit'?",
        ),
        (
            "POST",
            PROVIDERS,
            r#"{"name":"x","network_config":{"baseurl":"https://llm.example"}}"#,
            "/network_config/baseurl",
            "unknown field 'baseurl'; did you mean 'base_url'?",
        ),
    ] {
        let reply = refuse(&app, method, path, body, ("unknown_field", param)).await;
        assert_eq!(reply.json()["error"]["message"], message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_visible_text() {
    let (app, one) = with_key().await;
    let long = "x".repeat(257);
    for (name, message) in [
        ("", "is required"),
        (" ", "is required"),
        (r"\u2003\t", "is required"),
        (&long, "name is longer than 256 characters"),
        (r"a\nb", "name has control characters"),
        (r"\u001b[31mred", "name has control characters"),
        (r"a\u0085b", "name has control characters"),
    ] {
        for (method, path) in [("POST", VIRTUAL_KEYS), ("PUT", &one), ("POST", TEAMS), ("POST", CUSTOMERS)] {
            let reply =
                refuse(&app, method, path, format!(r#"{{"name":"{name}"}}"#), ("invalid_request", "/name")).await;
            assert!(reply.json()["error"]["message"].as_str().unwrap().ends_with(message), "{name}");
        }
    }
    refuse(&app, "POST", VIRTUAL_KEYS, "{}", ("invalid_request", "/name")).await;
}

/// Whatever is written where, it is the sender's fault, and nothing comes of it.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_refused_everywhere() {
    let (app, one) = with_key().await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(10_000_000));
    let deep = format!(r#"{{"name":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for (method, path) in [
        ("POST", VIRTUAL_KEYS),
        ("PUT", one.as_str()),
        ("POST", TEAMS),
        ("POST", CUSTOMERS),
        ("POST", PROVIDERS),
        ("POST", "/api/providers/demo/keys"),
        ("POST", "/api/governance/model-configs"),
        ("POST", "/api/governance/pricing-overrides"),
        ("POST", "/api/routing/rules"),
        ("POST", "/api/management-keys"),
        ("POST", "/api/mcp/client"),
        ("PUT", "/api/config"),
    ] {
        let before = everything(&app).await;
        for body in [
            long.as_str(),
            deep.as_str(),
            r#"{"name":"a\u0000b"}"#,
            r#"{"name":"\ud800"}"#,
            r#"{"name":"x","name":"y"}"#,
            r#"{"name":99999999999999999999999999}"#,
            r#"{"name":1e400}"#,
            r#"{"updated_at":0.123456789012345678901234567890}"#,
            "null",
            "[]",
        ] {
            let reply = app.raw(method, path).body(body.to_owned()).send().await;
            assert_eq!(reply.status, 400, "{method} {path} {}: {}", &body[..body.len().min(60)], reply.json());
        }
        assert_eq!(everything(&app).await, before, "{method} {path}");
    }
    for limit in [
        r#""budget":{"max_limit":0.123456789012345678901234567890,"reset_duration":"1d"}"#,
        r#""budget":{"max_limit":9223372036854775808,"reset_duration":"1d"}"#,
        r#""budget":{"max_limit":1e400,"reset_duration":"1d"}"#,
        r#""rate_limit":{"token_max_limit":9223372036854775808,"token_reset_duration":"1d"}"#,
        r#""rate_limit":{"token_max_limit":1.000000000000000000000000000001,"token_reset_duration":"1d"}"#,
        r#""budget":{"max_limit":1,"max_limit":2,"reset_duration":"1d"}"#,
    ] {
        for (method, path) in [("POST", VIRTUAL_KEYS), ("PUT", &one), ("POST", TEAMS), ("POST", CUSTOMERS)] {
            let body = format!(r#"{{"name":"x",{limit}}}"#);
            assert_eq!(app.raw(method, path).body(body).send().await.status, 400, "{method} {path} {limit}");
        }
    }
    let twice = r#"{"name":"x","metadata":{"a":"1","a":"2"}}"#;
    refuse(&app, "POST", VIRTUAL_KEYS, twice, ("invalid_request", "/metadata")).await;
}

/// A name is the characters that it is written with, for every kind of thing.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_differ_in_case_or_normalisation_are_two_names() {
    let app = App::start().await;
    for (path, body) in [
        (VIRTUAL_KEYS, r#"{"name":"NAME"}"#),
        (TEAMS, r#"{"name":"NAME"}"#),
        (CUSTOMERS, r#"{"name":"NAME"}"#),
        ("/api/management-keys", r#"{"name":"NAME","permissions":[{"resource":"teams","access":"read"}]}"#),
        ("/api/providers/demo/keys", r#"{"name":"NAME","value":"not-a-real-key"}"#),
        (
            "/api/routing/rules",
            r#"{"name":"NAME","cel_expression":"true","scope":"global","targets":[{"provider":"demo","model":"echo","weight":1}]}"#,
        ),
    ] {
        let made = async |name: &str| app.raw("POST", path).body(body.replace("NAME", name)).send().await.status;
        for name in ["Caf\u{e9}", "caf\u{e9}", "cafe\u{301}"] {
            assert!([200, 201].contains(&made(name).await), "{path} {name}");
        }
        assert_eq!(made("cafe\u{301}").await, 409, "{path}");
    }
}

/// Text that no database can be asked for is no fault of the server's.
#[tokio::test(flavor = "multi_thread")]
async fn nul_characters_are_nobodys_fault_but_the_senders() {
    let (app, one) = with_key().await;
    for members in [
        r#""description":"a\u0000b""#,
        r#""team_id":"\u0000""#,
        r#""customer_id":"\u0000""#,
        r#""key_ids":["\u0000"]"#,
        r#""provider_configs":[{"provider":"\u0000"}]"#,
        r#""provider_configs":[{"provider":"demo","key_ids":["\u0000"]}]"#,
        r#""provider_configs":[{"provider":"demo","allowed_models":["a\u0000b"]}]"#,
    ] {
        for (method, path) in [("POST", VIRTUAL_KEYS), ("PUT", &one)] {
            let body = format!(r#"{{"name":"nul {method} {}",{members}}}"#, members.len());
            let reply = app.raw(method, path).body(body).send().await;
            assert!(reply.status < 500, "{method} {members}: {}", reply.json());
        }
    }
    let models = r#"{"name":"k","value":"s","models":["a\u0000b"]}"#;
    for (method, path, body) in [
        ("POST", TEAMS, r#"{"name":"x","customer_id":"\u0000"}"#),
        ("POST", "/api/providers/demo/keys", models),
        ("POST", "/api/providers/%00/keys", r#"{"name":"k2","value":"s"}"#),
        ("GET", "/api/providers/%00", ""),
        ("GET", "/api/governance/teams/%00", ""),
        ("DELETE", "/api/governance/virtual-keys/%00", ""),
        ("GET", "/api/governance/virtual-keys?search=%00", ""),
    ] {
        let reply = app.raw(method, path).body(body).send().await;
        assert!(reply.status < 500, "{method} {path} {body}: {}", reply.json());
    }
}

/// The documents tell these bounds for every parameter.
#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_over_its_bound_is_refused_by_name() {
    let app = App::start().await;
    let text = |length: usize| "x".repeat(length);
    for (path, param) in [
        (format!("{TEAMS}/{}", text(4_097)), "path"),
        (format!("{TEAMS}?search={}", text(4_097)), "/search"),
        (format!("{TEAMS}?offset=2147483648"), "/offset"),
        ("/api/audit?before=2147483648".to_owned(), "/before"),
    ] {
        let error = app.raw("GET", &path).send().await.error();
        assert_eq!((error.0, error.2.as_str()), (400, param));
    }
    let matched = app.raw("DELETE", &format!("{TEAMS}/x")).header("if-match", format!("\"{}\"", text(4_095)));
    assert_eq!(matched.send().await.error().2, "if-match");
    for (path, status) in [(format!("{TEAMS}/{}", text(4_096)), 404), (format!("{TEAMS}?search={}", text(4_096)), 200)]
    {
        assert_eq!(app.raw("GET", &path).send().await.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_not_read() {
    let app = App::builder().settings(|settings| settings.max_management_body_bytes = 100).start().await;
    let body = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length - 11));
    for path in [VIRTUAL_KEYS, TEAMS, CUSTOMERS] {
        let fits = app.raw("POST", path).body(body(100)).send().await;
        assert_eq!(fits.status, 200, "{}", fits.json());
        let expected = (413, "payload_too_large".to_owned(), String::new());
        assert_eq!(app.raw("POST", path).body(body(101)).send().await.error(), expected);
        // Without an announced length it is noticed while reading.
        let pieces = futures_util::stream::iter([body(60), body(60)].map(Ok::<_, std::io::Error>));
        let chunked = app.raw("POST", path).body(reqwest::Body::wrap_stream(pieces));
        assert_eq!(chunked.send().await.error(), expected);
    }
    let packed = app.raw("POST", VIRTUAL_KEYS).header("content-encoding", "gzip").body("x").send().await;
    assert_eq!(packed.error(), (400, "invalid_request".to_owned(), "content-encoding".to_owned()));
    assert_eq!(everything(&app).await[0]["total_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_serves_is_answered_in_the_envelope() {
    let app = App::start().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("GET", "/api/governance/nothing"),
        ("GET", "/api/governance/virtual-keys/a/b"),
        ("POST", "/api/governance/virtual-keys/"),
    ] {
        let reply = app.raw(method, path).send().await;
        assert_eq!(reply.error(), (404, "not_found".to_owned(), String::new()), "{method} {path}");
        assert_eq!(reply.json()["error"]["message"], format!("There is nothing at {method} {path}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_with_other_methods_names_them() {
    let app = App::start().await;
    for (method, path, allowed) in [
        ("PATCH", VIRTUAL_KEYS, "GET, POST"),
        ("TRACE", "/api/governance/virtual-keys/a", "GET, PUT, DELETE"),
        ("PUT", "/api/governance/routing-rules", "GET, POST"),
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/livez", "GET"),
    ] {
        let reply = app.raw(method, path).send().await;
        assert_eq!(reply.error(), (405, "method_not_allowed".to_owned(), String::new()), "{method} {path}");
        assert_eq!(reply.header("allow"), allowed, "{method} {path}");
    }
}

/// An object is an object: what a list of its values would mean, nobody can see.
#[tokio::test(flavor = "multi_thread")]
async fn lists_do_not_stand_in_for_objects() {
    let (app, one) = with_key().await;
    for (method, path, body, param) in [
        ("POST", VIRTUAL_KEYS, r#"["listed"]"#, ""),
        ("PUT", &one, r#"["listed"]"#, ""),
        ("POST", TEAMS, r#"["listed"]"#, ""),
        ("POST", PROVIDERS, r#"["openai"]"#, ""),
        ("POST", VIRTUAL_KEYS, r#"{"name":"x","budget":[null,1,"1d"]}"#, "/budget"),
        ("POST", VIRTUAL_KEYS, r#"{"name":"x","rate_limit":[]}"#, "/rate_limit"),
        ("PUT", &one, r#"{"provider_configs":[[null,"demo"]]}"#, "/provider_configs/0"),
        ("POST", PROVIDERS, r#"{"name":"openai","network_config":[]}"#, "/network_config"),
        ("POST", PROVIDERS, r#"{"name":"openai","keys":[["main","secret"]]}"#, "/keys/0"),
        ("POST", PROVIDERS, r#"{"name":"openai","keys":[{"name":"main","value":["secret"]}]}"#, "/keys/0/value"),
    ] {
        refuse(&app, method, path, body, ("invalid_request", param)).await;
    }
}
