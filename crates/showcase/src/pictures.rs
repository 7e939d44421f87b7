//! The pictures of the guide: every page, of a server that has the data set.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::browser::{Browser, View};
use crate::pages::{LOGIN, PAGES, sign_in};

/// Takes them, a file for each page. Returns how many there are.
///
/// # Errors
/// When a page is not there, or a file cannot be written.
pub async fn take(url: &str, username: &str, password: &str, into: &Path) -> Result<usize> {
    fs::create_dir_all(into)?;
    let browser = Browser::start().await?;
    browser.look(View::GUIDE).await?;
    LOGIN.open(&browser, url).await?;
    keep(&browser, into, LOGIN.name).await?;
    sign_in(&browser, url, username, password).await?;
    for page in PAGES {
        page.open(&browser, url).await?;
        keep(&browser, into, page.name).await?;
    }
    browser.close().await?;
    Ok(PAGES.len() + 1)
}

async fn keep(browser: &Browser, into: &Path, name: &str) -> Result<()> {
    let path = into.join(name).with_extension("png");
    fs::write(&path, browser.picture().await?).with_context(|| format!("cannot write {}", path.display()))
}
