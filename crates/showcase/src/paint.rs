//! How heavy pages are, and how soon something of them can be seen. These are figures to look at: no test waits for them, since they
//! depend on the machine.

use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::browser::{Browser, View};
use crate::pages::{PAGES, Page, sign_in};

/// How often each page is loaded.
const LOADS: usize = 7;
/// Tells of the load that has just ended, as soon as something was painted.
const TELL: &str = "const done = arguments[arguments.length - 1];
    const tell = (paint) => {
        const [page] = performance.getEntriesByType('navigation');
        const loaded = performance.getEntriesByType('resource').map((one) => one.decodedBodySize);
        done({ first_paint: paint.startTime, first_byte: page.responseStart, page: page.decodedBodySize,
            assets: loaded.reduce((sum, bytes) => sum + bytes, 0) });
    };
    new PerformanceObserver((list, watcher) => {
        const [paint] = list.getEntriesByName('first-contentful-paint');
        if (paint) { watcher.disconnect(); tell(paint); }
    }).observe({ type: 'paint', buffered: true });";

/// What one load was like. Times are in milliseconds since it began, sizes in bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Load {
    first_byte: f64,
    first_paint: f64,
    page: u64,
    assets: u64,
}

/// What the loads of a page were like: medians.
#[derive(Debug)]
pub struct Painted {
    name: &'static str,
    load: Load,
}

impl fmt::Display for Painted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, load: Load { first_byte, first_paint, page, assets } } = self;
        write!(f, "{name:24} {first_byte:9.1} {first_paint:10.1} {page:9} {assets:9}")
    }
}

/// What the columns of [`Painted`] are.
pub const HEAD: &str = "page                      first byte  first paint      bytes     assets";

/// Loads each page of the server at this address several times. The browser keeps what pages load, as it does for people.
///
/// # Errors
/// When a page is not there, or nothing of it is painted.
pub async fn measure(url: &str, username: &str, password: &str) -> Result<Vec<Painted>> {
    let browser = Browser::start().await?;
    browser.look(View::GUIDE).await?;
    sign_in(&browser, url, username, password).await?;
    let mut all = Vec::new();
    for page in PAGES {
        all.push(painted(&browser, page, url).await.with_context(|| format!("cannot measure {}", page.name))?);
    }
    browser.close().await?;
    Ok(all)
}

async fn painted(browser: &Browser, page: Page, url: &str) -> Result<Painted> {
    let mut loads = Vec::new();
    for _ in 0..LOADS {
        page.open(browser, url).await?;
        let told = browser.client.execute_async(TELL, Vec::new()).await?;
        loads.push(serde_json::from_value::<Load>(told)?);
    }
    loads.sort_by(|one, other| one.first_paint.total_cmp(&other.first_paint));
    let load = loads.get(LOADS / 2).copied().context("there were no loads")?;
    Ok(Painted { name: page.name, load })
}
