//! The pages of the dashboard: the one list that the tests visit and the pictures are taken of.

use anyhow::{Context, Result};
use fantoccini::Locator;

use crate::browser::Browser;

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// What its pictures are called.
    pub name: &'static str,
    way: Way,
}

/// How one gets there.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// By its path.
    At(&'static str),
    /// From the page at this path, by the first link that the CSS selector finds.
    Through(&'static str, &'static str),
}

/// Every page that one has to be signed in for.
pub const PAGES: [Page; 5] = [
    Page { name: "overview", way: Way::At("/?period=30d") },
    Page { name: "virtual-keys", way: Way::At("/virtual-keys") },
    Page { name: "virtual-key", way: Way::Through("/virtual-keys?search=chat-prod", "tbody th a") },
    Page { name: "virtual-key-edit", way: Way::Through("/virtual-keys?search=chat-prod", "tbody th a") },
    Page { name: "virtual-key-new", way: Way::At("/virtual-keys/new") },
];

/// Where one signs in.
pub const LOGIN: Page = Page { name: "login", way: Way::At("/login") };

impl Page {
    /// Shows the page of the server at this address.
    ///
    /// # Errors
    /// When the way there is not to be found.
    pub async fn open(&self, browser: &Browser, url: &str) -> Result<()> {
        match self.way {
            Way::At(path) => browser.open(&format!("{url}{path}")).await,
            Way::Through(path, link) => {
                browser.open(&format!("{url}{path}")).await?;
                let link =
                    browser.client.find(Locator::Css(link)).await.with_context(|| format!("{path} has no {link}"))?;
                let target = link.prop("href").await?.with_context(|| format!("{path} has a link to nowhere"))?;
                browser.open(&target).await
            }
        }
    }
}

/// Signs in, and waits for the page that follows.
///
/// # Errors
/// When that is not possible with this password.
pub async fn sign_in(browser: &Browser, url: &str, username: &str, password: &str) -> Result<()> {
    LOGIN.open(browser, url).await?;
    browser.write("input[name=username]", username).await?;
    browser.write("input[name=password]", password).await?;
    browser.click("button[type=submit]").await?;
    browser.find("nav a[aria-current=page]").await.context("nobody was let in")?;
    Ok(())
}
