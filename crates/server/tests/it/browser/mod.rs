//! The dashboard in a real browser: every page as people see it, and what they do with it by clicks.

mod data;
mod notices;

use keyward_showcase::browser::Browser;

/// What the page has complained about must be nothing.
async fn is_quiet(browser: &Browser, page: &str) {
    let complaints: Vec<String> = browser.complaints().await.unwrap().iter().map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "{page}: {complaints:#?}");
}
