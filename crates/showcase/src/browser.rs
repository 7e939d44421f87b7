//! A real browser: Chromium without a window, driven over WebDriver, that reaches nothing but this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

mod command;
mod complaint;
mod driver;
mod view;

use command::Command;
pub use complaint::Complaint;
use driver::Driver;
pub use view::{Theme, View};

/// How long anything on a page may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// As root there is no sandbox to be had; and nothing may be fetched that no page asks for.
const ARGUMENTS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// A browser that runs as long as this value, and is gone afterwards whatever happens.
pub struct Browser {
    /// What it can be asked besides.
    pub client: Client,
    // In this order: first the processes end, then their files.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser that nobody has used before.
    ///
    /// # Errors
    /// When Chromium or its driver is not installed, or does not start.
    pub async fn start() -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let driver = Driver::start()?;
        let arguments: Vec<String> =
            ARGUMENTS.map(str::to_owned).into_iter().chain([argument(profile.path())]).collect();
        let wanted = json!({
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis() },
        });
        let Value::Object(wanted) = wanted else { unreachable!("it is an object") };
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&driver.url).await;
        let client = client.context("Chromium does not start; Debian has it as chromium, and chromium-driver")?;
        Ok(Self { client, _driver: driver, _profile: profile })
    }

    /// Ends it in order, so that nothing of it is left behind.
    ///
    /// # Errors
    /// When it has ended already.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }

    /// Shows pages as on a screen of this kind from now on.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn look(&self, view: View) -> Result<()> {
        let View { width, height, theme } = view;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        let features = json!([
            { "name": "prefers-color-scheme", "value": theme.name() },
            // Nothing is half-way when a picture is taken.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await?;
        Ok(())
    }

    /// Goes to an address and waits until it is loaded.
    ///
    /// # Errors
    /// When nothing is loaded from there.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client.goto(url).await.with_context(|| format!("cannot open {url}"))
    }

    /// The first element that a CSS selector finds, as soon as there is one.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        found.with_context(|| format!("the page has no {selector}"))
    }

    /// The first element of a kind that says this and nothing else, as soon as there is one. The text has no apostrophe.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn find_saying(&self, kind: &str, text: &str) -> Result<Element> {
        let path = format!("//{kind}[normalize-space()='{text}']");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        found.with_context(|| format!("no {kind} of the page says {text:?}"))
    }

    /// Clicks what a CSS selector finds, as soon as nothing covers it: while the browser still brings a field that was written into view,
    /// what sticks to an edge may.
    ///
    /// # Errors
    /// When there is no such thing in time, or it cannot be clicked.
    pub async fn click(&self, selector: &str) -> Result<()> {
        let (element, begin) = (self.find(selector).await?, Instant::now());
        // As people would scroll.
        let centre = "arguments[0].scrollIntoView({ block: 'center' })";
        loop {
            self.client.execute(centre, vec![serde_json::to_value(&element)?]).await?;
            match element.click().await {
                Err(error) if is_covered(&error) && begin.elapsed() < PATIENCE => {}
                clicked => return clicked.with_context(|| format!("{selector} cannot be clicked")),
            }
        }
    }

    /// Writes into a field, in place of what it has.
    ///
    /// # Errors
    /// When there is no such field in time.
    pub async fn write(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.find(selector).await?;
        field.clear().await?;
        field.send_keys(text).await.with_context(|| format!("{selector} takes no text"))
    }

    /// What a script returns.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// What the page has complained about since this was last asked: errors and warnings of the console, among them everything that
    /// the content security policy has stopped.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn complaints(&self) -> Result<Vec<Complaint>> {
        let log = self.client.issue_cmd(Command::post("se/log", json!({ "type": "browser" }))).await?;
        Complaint::of(log)
    }

    /// A picture of what can be seen, as PNG.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        self.capture(json!({ "format": "png" })).await
    }

    /// A picture of the page to its end, as PNG.
    ///
    /// # Errors
    /// When the browser is gone.
    pub async fn whole_picture(&self) -> Result<Vec<u8>> {
        // What stays where it is while the page scrolls is at its top then.
        self.client.execute("window.scrollTo(0, 0)", Vec::new()).await?;
        let size = self.devtools("Page.getLayoutMetrics", json!({})).await?;
        let size = size.get("cssContentSize").cloned().context("the page has no size")?;
        let mut clip: Map<String, Value> = serde_json::from_value(size)?;
        clip.insert("scale".to_owned(), json!(1));
        self.capture(json!({ "format": "png", "clip": clip, "captureBeyondViewport": true })).await
    }

    async fn capture(&self, how: Value) -> Result<Vec<u8>> {
        let captured = self.devtools("Page.captureScreenshot", how).await?;
        let picture = captured.get("data").and_then(Value::as_str).context("there is no picture")?;
        let picture = STANDARD.decode(picture)?;
        ensure!(!picture.is_empty(), "the picture is empty");
        Ok(picture)
    }

    /// A command of Chromium's own.
    async fn devtools(&self, name: &str, parameters: Value) -> Result<Value> {
        let command = Command::post("goog/cdp/execute", json!({ "cmd": name, "params": parameters }));
        self.client.issue_cmd(command).await.with_context(|| format!("Chromium refuses {name}"))
    }
}

/// Whether something else would have been clicked, so that nothing was.
fn is_covered(error: &CmdError) -> bool {
    matches!(error, CmdError::Standard(error) if error.error == ErrorStatus::ElementClickIntercepted)
}

fn argument(profile: &Path) -> String {
    format!("--user-data-dir={}", profile.display())
}
