//! The pictures of the guide: the pages that it shows, of a server that has the data set.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::browser::{Browser, View};
use crate::pages::{PAGES, sign_in};

/// Takes them, a file for each page. Returns how many there are.
///
/// # Errors
/// When a page is not there, or a file cannot be written.
pub async fn take(url: &str, username: &str, password: &str, into: &Path) -> Result<usize> {
    fs::create_dir_all(into)?;
    let browser = Browser::start().await?;
    browser.look(View::GUIDE).await?;
    sign_in(&browser, url, username, password).await?;
    let mut count = 0;
    for page in PAGES.into_iter().filter(|page| page.is_in_guide) {
        page.open(&browser, url).await?;
        keep(&browser, into, page.name).await?;
        count += 1;
    }
    browser.close().await?;
    Ok(count)
}

/// A picture of the page to its end, as a file.
pub(crate) async fn keep(browser: &Browser, into: &Path, name: &str) -> Result<()> {
    let path = into.join(name).with_extension("png");
    fs::write(&path, browser.whole_picture().await?).with_context(|| format!("cannot write {}", path.display()))
}
