//! The dashboard in a real browser: every page as people see it, and what they do with it by clicks.

mod choosing;
mod data;
mod flows;
mod notices;
mod pages;
mod playground;
mod providers;
mod read_only;
mod rotation;
mod settings;
mod walk;

use keyward_server::AdminCredential;
use keyward_showcase::browser::Browser;
use keyward_showcase::pages::sign_in;

use crate::harness::{App, AppBuilder};

const USERNAME: &str = "admin";
const PASSWORD: &str = "not-a-real-password";

/// A server with an administrator, to be started.
fn guarded() -> AppBuilder {
    let seed = AdminCredential::new(USERNAME, &PASSWORD.into()).as_seed();
    App::builder().settings(|settings| settings.admin = Some(seed))
}

/// A browser in which the administrator has signed in.
async fn administrator(app: &App) -> Browser {
    let browser = Browser::start().await.unwrap();
    sign_in(&browser, &app.url, USERNAME, PASSWORD).await.unwrap();
    browser
}

/// The page must not have complained about anything.
async fn is_quiet(browser: &Browser, page: &str) {
    let complaints: Vec<String> = browser.complaints().await.unwrap().iter().map(ToString::to_string).collect();
    assert!(complaints.is_empty(), "{page}: {complaints:#?}");
}

/// What can be read on the page.
async fn text(browser: &Browser) -> String {
    browser.find("main").await.unwrap().text().await.unwrap()
}
