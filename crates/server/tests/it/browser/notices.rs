//! What makes the other tests here fail does make them fail: each fault is there once, and noticed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward_showcase::axe::Axe;
use keyward_showcase::browser::{Browser, Theme, View};
use keyward_showcase::data::hostile;
use serde_json::json;

use super::is_quiet;

/// A page of its own, as an address.
fn page(html: &str) -> String {
    format!("data:text/html;charset=utf-8;base64,{}", STANDARD.encode(html))
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_scripts_and_breaches_of_the_policy_are_noticed() {
    let browser = Browser::start().await.unwrap();
    browser.open(&page("<title>fine</title><script>console.log('fine')</script>")).await.unwrap();
    is_quiet(&browser, "a page that only tells something").await;
    let policy = "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'; style-src 'none'\">";
    for (html, said) in [
        ("<script>console.error('a fault')</script>", "a fault"),
        ("<script>undefined.member</script>", "TypeError"),
        (&format!("{policy}<script>1</script>"), "Content Security Policy"),
        (&format!("{policy}<p style='color:red'>x</p>"), "Content Security Policy"),
    ] {
        browser.open(&page(html)).await.unwrap();
        let complaints = browser.complaints().await.unwrap();
        assert!(complaints.iter().any(|one| one.message.contains(said)), "{html}: {complaints:?}");
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn barriers_are_noticed_whatever_the_policy_says() {
    let (browser, axe) = (Browser::start().await.unwrap(), Axe::read().unwrap());
    let policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">";
    let html = format!("<!doctype html><html><head>{policy}<title>x</title></head><body><img src=x></body></html>");
    browser.open(&page(&html)).await.unwrap();
    let found: Vec<String> = axe.look(&browser).await.unwrap().iter().map(ToString::to_string).collect();
    for rule in ["html-has-lang", "image-alt"] {
        assert!(found.iter().any(|barrier| barrier.starts_with(rule)), "{rule}: {found:#?}");
    }
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_run_where_a_page_lets_them() {
    let browser = Browser::start().await.unwrap();
    let trace = format!("return window.{} ?? null", hostile::TRACE);
    for (careless, text) in [
        ("<p>TEXT</p>", hostile::SCRIPT),
        ("<p title=\"TEXT\">x</p>", hostile::IMAGE),
        ("<script>const text = 'TEXT'</script>", hostile::END_OF_SCRIPT),
    ] {
        browser.open(&page(&careless.replace("TEXT", text))).await.unwrap();
        assert_eq!(browser.run(&trace).await.unwrap(), json!(1), "{careless}: {text}");
    }
    browser.open(&page("<title>x</title>")).await.unwrap();
    assert_eq!(browser.run(&trace).await.unwrap(), json!(null));
    browser.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_what_pages_see() {
    let browser = Browser::start().await.unwrap();
    for view in View::all() {
        browser.look(view).await.unwrap();
        browser.open(&page("<title>x</title>")).await.unwrap();
        let seen = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]";
        let expected = json!([view.width, view.height, view.theme == Theme::Dark]);
        assert_eq!(browser.run(seen).await.unwrap(), expected);
        let picture = browser.picture().await.unwrap();
        assert_eq!(picture.get(1..4), Some(&b"PNG"[..]));
        assert_eq!(picture.get(16..20), Some(&view.width.to_be_bytes()[..]));
    }
    browser.close().await.unwrap();
}
