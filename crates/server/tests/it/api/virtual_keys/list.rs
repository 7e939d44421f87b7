//! `GET /api/governance/virtual-keys`

use keyward_client::{CreateVirtualKey, ListQuery, VirtualKeyList};

use super::super::VIRTUAL_KEYS;
use crate::harness::App;

async fn with_keys(names: &[String]) -> App {
    let app = App::start().await;
    for name in names {
        let request = CreateVirtualKey { name: name.clone(), ..CreateVirtualKey::default() };
        app.client.virtual_key_create(&request).await.unwrap();
    }
    app
}

async fn list(app: &App, limit: Option<&str>, offset: Option<&str>, search: Option<&str>) -> VirtualKeyList {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let query = ListQuery { limit: text(limit), offset: text(offset), search: text(search) };
    app.client.virtual_key_list(&query).await.unwrap()
}

fn names(list: &VirtualKeyList) -> Vec<&str> {
    list.virtual_keys.iter().map(|key| key.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_parameters_it_is_everything_oldest_first() {
    let app = App::start().await;
    let empty = list(&app, None, None, None).await;
    assert_eq!((empty.virtual_keys.len(), empty.count, empty.total_count, empty.limit, empty.offset), (0, 0, 0, 0, 0));
    // Their names are in no order, and they are more than a page.
    let given: Vec<String> = (0..30).map(|index| format!("key {}", (index * 7) % 30)).collect();
    let app = with_keys(&given).await;
    let all = list(&app, None, None, None).await;
    assert_eq!(names(&all), given);
    assert_eq!((all.count, all.total_count, all.limit, all.offset), (30, 30, 30, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_tile_the_list() {
    let given: Vec<String> = (0..27).map(|index| format!("key {index}")).collect();
    let app = with_keys(&given).await;
    for (limit, offset, expected, shown) in [
        (Some("10"), None, 0..10, (10, 0)),
        (Some("10"), Some("10"), 10..20, (10, 10)),
        (Some("10"), Some("20"), 20..27, (10, 20)),
        (Some("10"), Some("27"), 27..27, (10, 27)),
        (Some("10"), Some("9223372036854775807"), 27..27, (10, i64::MAX)),
        (None, Some("1"), 1..26, (25, 1)),
        (Some("0"), None, 0..25, (25, 0)),
        (Some("1000"), None, 0..27, (100, 0)),
    ] {
        let page = list(&app, limit, offset, None).await;
        assert_eq!(names(&page), &given[expected], "{limit:?} {offset:?}");
        assert_eq!((page.count, page.total_count), (page.virtual_keys.len() as i64, 27));
        assert_eq!((page.limit, page.offset), shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_takes_every_character_literally_and_ignores_case() {
    let given = ["100%", "1000", "a_b", "aXb", r"c\d", "Load TEST", "load test", "It's"];
    let app = with_keys(&given.map(str::to_owned)).await;
    for (search, expected) in [
        ("100", &["100%", "1000"][..]),
        ("100%", &["100%"]),
        ("%", &["100%"]),
        ("_", &["a_b"]),
        ("A_B", &["a_b"]),
        ("axb", &["aXb"]),
        (r"\", &[r"c\d"]),
        ("d Te", &["Load TEST", "load test"]),
        ("'s", &["It's"]),
        ("nothing", &[]),
        ("", &given),
    ] {
        let found = list(&app, None, None, Some(search)).await;
        assert_eq!(names(&found), expected, "{search}");
        assert_eq!((found.total_count, found.limit), (expected.len() as i64, 25));
    }
    let page = list(&app, Some("1"), Some("1"), Some("load")).await;
    assert_eq!((names(&page), page.total_count), (vec!["load test"], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_are_not_understood_are_refused() {
    let app = App::start().await;
    for (query, param, message) in [
        ("limit=abc", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=1.5", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=9223372036854775808", "/limit", "Invalid limit parameter: must be a number"),
        ("limit=-1", "/limit", "Invalid limit parameter: must be non-negative"),
        ("offset=abc", "/offset", "Invalid offset parameter: must be a number"),
        ("limit=5&offset=-1", "/offset", "Invalid offset parameter: must be non-negative"),
    ] {
        let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}?{query}")).send().await;
        assert_eq!(reply.error(), (400, "invalid_request".to_owned(), param.to_owned()), "{query}");
        assert_eq!(reply.json()["error"]["message"], message, "{query}");
    }
    for (query, code, param) in [
        ("limti=5", "unknown_field", "/limti"),
        ("limit=1&limit=2", "invalid_request", ""),
        ("search=%00", "invalid_request", "query"),
    ] {
        let reply = app.raw("GET", &format!("{VIRTUAL_KEYS}?{query}")).send().await;
        assert_eq!(reply.error(), (400, code.to_owned(), param.to_owned()), "{query}");
    }
}
