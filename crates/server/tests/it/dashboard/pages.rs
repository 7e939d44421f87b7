//! What holds for every page.

use keyward_client::{BudgetInput, CreateCustomer, CreateTeam, CreateVirtualKey, ProviderConfigInput};
use serde_json::json;

use super::{Browser, between, text};
use crate::harness::App;

/// What must not become markup, wherever it is put.
const HOSTILE: &str = r#"<script>alert("1")</script><img src=x onerror='alert(1)'>&amp;"#;

/// Every page of a server that has one of everything, with names that are hostile.
async fn pages(app: &App) -> Vec<String> {
    let budget = || BudgetInput::new("0.01".parse().unwrap(), "1d".parse().unwrap()).into();
    let customer = CreateCustomer { name: HOSTILE.to_owned(), budget: budget(), ..Default::default() };
    let customer = app.client.customer_create(&customer).await.unwrap().customer;
    let team = CreateTeam { name: HOSTILE.to_owned(), customer_id: Some(customer.id.clone()), ..Default::default() };
    let team = app.client.team_create(&team).await.unwrap().team;
    let config = json!({ "provider": "demo", "allowed_models": ["*"], "budgets": [{ "max_limit": 1, "reset_duration": "1w" }],
        "model_budgets": [{ "model": HOSTILE, "budgets": [{ "max_limit": 2, "reset_duration": "1M" }] }] });
    let config: ProviderConfigInput = serde_json::from_value(config).unwrap();
    let request = CreateVirtualKey {
        name: HOSTILE.to_owned(),
        description: HOSTILE.to_owned(),
        team_id: Some(team.id.clone()),
        budget: budget(),
        provider_configs: Some(vec![config]),
        metadata: [("label".to_owned(), HOSTILE.to_owned())].into_iter().collect(),
        ..Default::default()
    };
    let key = app.client.virtual_key_create(&request).await.unwrap().virtual_key;
    let caller = app.caller(&key);
    let question = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": HOSTILE }] });
    for _ in 0..60 {
        // Until the budget is used up: there are attempts and refusals to show.
        let _ = caller.chat_completion_create(&serde_json::from_value(question.clone()).unwrap()).await;
    }
    let paths = ["/", "/?period=7d", "/?period=30d", "/playground", "/settings", "/settings/keys/new"];
    let mut pages = paths.map(str::to_owned).to_vec();
    pages.push(format!("/playground?virtual_key_id={}&model=%3Cscript%3Ealert(1)%3C%2Fscript%3E", key.id));
    for (section, id) in
        [("virtual-keys", key.id.as_str()), ("teams", team.id.as_str()), ("customers", customer.id.as_str())]
    {
        let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        pages.extend([
            format!("/{section}"),
            format!("/{section}?search={hostile}"),
            format!("/new/{section}"),
            format!("/{section}/{id}"),
            format!("/{section}/{id}/edit"),
        ]);
    }
    pages
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_escaped_and_bounded() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    for path in pages(&app).await {
        let reply = browser.get(&path).await;
        let page = text(&reply);
        assert_eq!(reply.status, 200, "{path}: {page}");
        bounded(&path, &reply);
        assert!(page.len() < 100 * 1024, "{path} has {} bytes", page.len());
        for raw in ["<script>alert", "<img src=x", "&amp;amp;amp;"] {
            assert!(!page.contains(raw), "{path} has {raw}");
        }
        assert!(!page.contains(" style=") && !page.contains(" onclick="), "{path} has what its policy forbids");
        assert_eq!(page.matches("<script").count(), 1, "{path} loads one script");
        assert_eq!(page.matches("<h1").count(), 1, "{path} has one title");
        assert!(page.contains(r##"href="#main""##) && page.contains(r#"id="main""#), "{path} can be skipped to");
        assert!(!page.contains("<th>") && !page.contains("<th class=\"number\">"), "{path} has a head without scope");
    }
    for path in ["/virtual-keys/nobody", "/teams/nobody", "/customers?offset=x"] {
        let reply = browser.get(path).await;
        assert!(matches!(reply.status, 400 | 404), "{path}");
        bounded(path, &reply);
    }
}

/// The headers of every page.
fn bounded(path: &str, reply: &crate::harness::Reply) {
    let policy = reply.header("content-security-policy");
    for rule in
        ["default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.contains(rule), "{path}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
    assert_eq!(reply.header("cache-control"), "no-store", "{path}");
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8", "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pages_load_is_here_and_kept_for_ever() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    let page = text(&browser.get("/").await);
    let assets: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    for path in assets {
        let reply = browser.get(path).await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, "public, max-age=31536000, immutable"));
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
    let script = page.split('"').find(|part| part.ends_with(".js")).unwrap();
    assert_eq!(browser.get(script).await.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(browser.get("/assets/keyward-0.js").await.error().0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_the_api_notice_nothing() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    for path in ["/nothing", "/v1/nothing", "/api/governance/nothing", "/virtual-keysx"] {
        let reply = browser.get(path).await;
        assert_eq!(reply.error(), (404, "not_found".to_owned(), String::new()), "{path}");
    }
    let head = browser.send("HEAD", "/virtual-keys", &[], String::new()).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), browser.get("/virtual-keys").await.header("content-length"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_is_what_the_cookie_says() {
    let app = App::start().await;
    let mut browser = Browser::at(&app);
    assert!(text(&browser.get("/").await).contains(r#"<html lang="en">"#));
    for (cookie, html) in
        [("theme=dark", r#"<html lang="en" data-theme="dark">"#), ("a=b; theme=\"><x", r#"<html lang="en">"#)]
    {
        browser.cookie = Some(cookie.to_owned());
        assert!(text(&browser.get("/").await).contains(html), "{cookie}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_narrowed_sorted_and_paged() {
    let app = App::start().await;
    let browser = Browser::at(&app);
    for number in 0..27 {
        let request = CreateVirtualKey { name: format!("key-{number:02}"), ..Default::default() };
        app.client.virtual_key_create(&request).await.unwrap();
    }
    let shown = async |path: &str| {
        let page = text(&browser.get(path).await);
        let names = page.split(">key-").skip(1).filter_map(|rest| rest.get(..2)?.parse::<u32>().ok());
        (names.collect::<Vec<_>>(), page)
    };
    let (first, page) = shown("/virtual-keys").await;
    assert_eq!(first, (0..25).collect::<Vec<_>>());
    assert!(page.contains("1–25 of 27") && page.contains(r#"href="/virtual-keys?offset=25""#), "{page}");
    let (second, page) = shown("/virtual-keys?offset=25").await;
    assert_eq!(second, [25, 26]);
    assert!(page.contains("26–27 of 27") && page.contains(r#"rel="prev" href="/virtual-keys""#), "{page}");
    assert_eq!(shown("/virtual-keys?search=key-1").await.0, (10..20).collect::<Vec<_>>());
    let (sorted, page) = shown("/virtual-keys?sort_by=name&order=desc").await;
    assert_eq!(sorted.first(), Some(&26));
    assert!(page.contains(r#"aria-sort="descending""#));
    let table = text(&browser.get("/virtual-keys/export.csv?search=key-1").await);
    assert_eq!(table.lines().count(), 11, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_explained() {
    let app = App::start().await;
    let page = pages(&app).await.into_iter().find(|path| path.ends_with("/edit")).unwrap();
    let browser = Browser::at(&app);
    let detail = text(&browser.get(page.trim_end_matches("/edit")).await);
    assert!(
        detail.contains("Budget used up") && detail.contains("budget_exceeded"),
        "the refusal is explained: {detail}"
    );
    assert!(detail.contains("demo/echo") && detail.contains("Completed"), "its attempts are shown");
    assert!(detail.contains("At demo, model &lt;script&gt;"), "so are the limits of single models");
    let form = text(&browser.get(&page).await);
    let etag = between(&form, "data-etag=\"&quot;", "&quot;").unwrap();
    assert!(!etag.is_empty(), "an edit is of the version that is shown");
    for field in [
        "name",
        "description",
        "is_active",
        "expires_at",
        "delete_after_expire",
        "team_id",
        "customer_id",
        "budgets[0].id",
        "budgets[0].max_limit",
        "budgets[0].reset_duration",
        "rate_limit.token_max_limit",
        "max_parallel_requests",
        "calendar_aligned",
        "allow_all_providers",
        "provider_configs[0].id",
        "provider_configs[0].weight",
        "provider_configs[0].key_ids",
        "provider_configs[0].budgets[0].max_limit",
        "provider_configs[0].model_budgets[0].budgets[0].max_limit",
        "metadata",
        "disable_content_logging",
        "reset_budget_usage",
    ] {
        assert!(form.contains(&format!(r#"name="{field}""#)), "{field} is not in the form");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_leads_to_the_entries_of_a_time() {
    let app = App::start().await;
    let key = app.key(CreateVirtualKey::default()).await;
    let question = json!({ "model": "demo/echo", "messages": [{ "role": "user", "content": "hi" }] });
    app.caller(&key).chat_completion_create(&serde_json::from_value(question).unwrap()).await.unwrap();
    let browser = Browser::at(&app);
    let page = text(&browser.get("/").await);
    let found = page.split(r#"<a href="/ledger?from="#).filter_map(|rest| rest.split_once(r#"" aria-label="#));
    let ways: Vec<String> = found.map(|(way, _)| way.replace("&amp;", "&")).filter(|way| !way.contains('"')).collect();
    assert_eq!(ways.len(), 48, "24 hours in two charts: {ways:?}");
    let in_tables = page.matches(r#"<th scope="row"><a href="/ledger?from="#).count();
    assert_eq!(
        (in_tables, page.matches(r#"tabindex="-1">"#).count()),
        (48, 49),
        "the keyboard finds them in tables: {page}"
    );
    let entries =
        async |way: &str| text(&browser.get(&format!("/ledger?from={way}")).await).matches("demo/echo").count();
    // An hour may have ended meanwhile.
    assert_eq!(entries(&ways[46]).await + entries(&ways[47]).await, 1, "{ways:?}");
    assert_eq!(entries(ways.first().unwrap()).await, 0, "{ways:?}");
}
