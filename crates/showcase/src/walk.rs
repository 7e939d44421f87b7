//! The walk-through of the guide: from a fresh demo to a virtual key whose budget has moved, by clicks and what is written.

use std::path::Path;

use anyhow::{Context, Result};

use crate::browser::{Browser, View};
use crate::pictures::keep;

/// What the virtual key is called that is made on the way.
const KEY: &str = "my-app";

/// Walks through a demo at this address, and takes a picture of each step.
///
/// # Errors
/// When a step is not to be had.
pub async fn take(url: &str, into: &Path) -> Result<()> {
    let browser = Browser::start().await?;
    browser.look(View::GUIDE).await?;
    browser.open(&format!("{url}/")).await?;
    browser.find("#first-steps").await.context("somebody has used the demo already")?;
    keep(&browser, into, "walk-1-overview").await?;
    make_a_key(&browser, into).await?;
    browser.click("a[href^='/playground?']").await?;
    browser.click("#playground-explain").await?;
    browser.find("[data-verdict=admitted]").await?;
    keep(&browser, into, "walk-3-explained").await?;
    browser.click("#playground button[type=submit]").await?;
    browser.find("[data-moved=cost]").await?;
    keep(&browser, into, "walk-4-sent").await?;
    browser.click("#playground-entry").await?;
    browser.find("#attempt-0").await?;
    keep(&browser, into, "walk-5-ledger").await?;
    browser.close().await
}

/// From the overview to a virtual key with a budget of five cents a day, whose secret was shown.
async fn make_a_key(browser: &Browser, into: &Path) -> Result<()> {
    browser.click("main a[href='/new/virtual-keys']").await?;
    browser.write("[name=name]", KEY).await?;
    browser.click("[data-list=budgets] [data-add]").await?;
    browser.write("[name='budgets[0].max_limit']", "0.05").await?;
    browser.write("[name='budgets[0].reset_duration']", "1d").await?;
    browser.click("form.sheet button[type=submit]").await?;
    // No picture of it: a secret is in none.
    browser.find("dialog#secret[open]").await?;
    browser.click("dialog#secret [data-closes]").await?;
    browser.find_saying("h1", KEY).await?;
    keep(browser, into, "walk-2-made").await
}
