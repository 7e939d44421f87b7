//! The pages of the dashboard: the one list that the tests visit, and that the pictures of the guide are taken from.

use anyhow::{Context, Result};
use fantoccini::Locator;

use crate::browser::Browser;

/// A page.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// What its pictures are called.
    pub name: &'static str,
    /// Whether it is there to change something.
    pub is_form: bool,
    /// Whether the guide shows it.
    pub is_in_guide: bool,
    way: Way,
    then: &'static str,
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
pub const PAGES: [Page; 36] = [
    Page::at("overview", "/?period=30d").in_guide(),
    Page::at("playground", "/playground"),
    Page::at("virtual-keys", "/virtual-keys"),
    Page::through("virtual-key", "/virtual-keys?search=chat-prod", "tbody th a").in_guide(),
    Page::at("virtual-key-new", "/new/virtual-keys").form(),
    Page::through("virtual-key-edit", "/virtual-keys?search=-030", "tbody th a").then("/edit").form(),
    Page::at("teams", "/teams"),
    Page::through("team", "/teams", "tbody th a"),
    Page::at("customers", "/customers"),
    Page::through("customer", "/customers", "tbody th a"),
    Page::at("limits", "/limits"),
    Page::at("limit-new", "/new/limits").form(),
    Page::through("limit-edit", "/limits", "tbody a[href$='/edit']").form(),
    Page::at("budgets", "/limits/budgets"),
    Page::at("rate-limits", "/limits/rate-limits"),
    Page::at("providers", "/providers"),
    Page::through("provider", "/providers", "tbody a[href='/providers/openai']"),
    Page::at("provider-new", "/new/providers").form(),
    Page::at("provider-edit", "/providers/house-llm/edit").form(),
    Page::at("provider-key-new", "/providers/openai/keys/new").form(),
    Page::through("provider-key-edit", "/providers/openai", "tbody a[href$='/edit']").form(),
    Page::at("routing-rules", "/routing").in_guide(),
    Page::at("routing-rule-new", "/new/routing").form(),
    Page::through("routing-rule-edit", "/routing", "tbody a[href$='/edit']").form(),
    Page::at("routing-try", "/routing/try"),
    Page::at("models", "/models"),
    Page::at("pricing-override-new", "/models/overrides/new").form(),
    Page::through("pricing-override-edit", "/models", "tbody a[href$='/edit']").form(),
    Page::at("ledger", "/ledger"),
    Page::through("ledger-entry", "/ledger", "tbody th a").in_guide(),
    Page::at("events", "/events"),
    Page::at("audit", "/audit"),
    Page::at("audit-verify", "/audit/verify"),
    Page::at("settings", "/settings").in_guide(),
    Page::at("management-key-new", "/settings/keys/new").form(),
    Page::through("management-key-edit", "/settings", "tbody a[href$='/edit']").form(),
];

/// Where one signs in.
pub const LOGIN: Page = Page::at("login", "/login");

impl Page {
    const fn new(name: &'static str, way: Way) -> Self {
        Self { name, is_form: false, is_in_guide: false, way, then: "" }
    }

    const fn at(name: &'static str, path: &'static str) -> Self {
        Self::new(name, Way::At(path))
    }

    const fn through(name: &'static str, path: &'static str, link: &'static str) -> Self {
        Self::new(name, Way::Through(path, link))
    }

    /// The same, one step further.
    const fn then(self, then: &'static str) -> Self {
        Self { then, ..self }
    }

    const fn form(self) -> Self {
        Self { is_form: true, ..self }
    }

    const fn in_guide(self) -> Self {
        Self { is_in_guide: true, ..self }
    }

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
                browser.open(&format!("{target}{}", self.then)).await
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
