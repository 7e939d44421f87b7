//! The walk-through of the guide: from a fresh demo to a budget that moved, by clicks alone.

use std::path::Path;

use anyhow::{Context, Result};

use crate::browser::{Browser, View};
use crate::pictures::keep;

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
    browser.click("a[href='/playground']").await?;
    browser.click("#playground-key option:nth-child(2)").await?;
    browser.click("#playground-explain").await?;
    browser.find("[data-verdict=admitted]").await?;
    keep(&browser, into, "walk-2-explained").await?;
    browser.click("#playground button[type=submit]").await?;
    browser.find("[data-moved=cost]").await?;
    keep(&browser, into, "walk-3-sent").await?;
    browser.click("#playground-entry").await?;
    browser.find("#attempt-0").await?;
    keep(&browser, into, "walk-4-ledger").await?;
    browser.close().await
}
