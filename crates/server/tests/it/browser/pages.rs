//! Every page, with the data set, at every width and in both themes: nothing complains, nothing keeps people from using it, nothing
//! sticks out, and no text runs. Pictures are left below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use keyward_showcase::axe::Axe;
use keyward_showcase::browser::{Browser, View};
use keyward_showcase::data::hostile;
use keyward_showcase::pages::{LOGIN, PAGES, Page};
use serde_json::{Value, json};

use super::{administrator, guarded, is_quiet};
use crate::harness::App;

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fit_for_people() {
    let app = guarded().filled().start().await;
    let (browser, axe) = (Browser::start().await.unwrap(), Axe::read().unwrap());
    for view in View::all() {
        browser.look(view).await.unwrap();
        look(&app, &browser, &axe, LOGIN, view).await;
    }
    browser.close().await.unwrap();
    let browser = administrator(&app).await;
    for view in View::all() {
        browser.look(view).await.unwrap();
        for page in PAGES {
            look(&app, &browser, &axe, page, view).await;
        }
    }
    browser.close().await.unwrap();
}

async fn look(app: &App, browser: &Browser, axe: &Axe, page: Page, view: View) {
    let name = format!("{}-{}-{}", page.name, view.width, view.theme.name());
    page.open(browser, &app.url).await.unwrap();
    is_quiet(browser, &name).await;
    keep(&browser.whole_picture().await.unwrap(), &name);
    let ran = browser.run(&format!("return window.{} ?? null", hostile::TRACE)).await.unwrap();
    assert_eq!(ran, Value::Null, "{name}: a hostile text ran");
    let width = browser.run("return document.documentElement.scrollWidth").await.unwrap();
    assert_eq!(width, json!(view.width), "{name}: something sticks out");
    if view.width == View::GUIDE.width {
        let wider = "return [...document.querySelectorAll('.scroll')].filter((table) => table.scrollWidth > table.clientWidth) \
                     .map((table) => table.ariaLabel)";
        assert_eq!(browser.run(wider).await.unwrap(), json!([]), "{name}: a table is wider than the page");
    }
    let barriers: Vec<String> = axe.look(browser).await.unwrap().iter().map(ToString::to_string).collect();
    assert!(barriers.is_empty(), "{name}: {}", barriers.join("\n"));
    is_quiet(browser, &name).await;
}

fn keep(picture: &[u8], name: &str) {
    let directory: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/dashboard");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name).with_extension("png"), picture).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_are_shown_as_they_are() {
    let app = guarded().filled().start().await;
    let browser = administrator(&app).await;
    for text in hostile::ALL {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("search", text).finish();
        browser.open(&format!("{}/virtual-keys?{query}", app.url)).await.unwrap();
        let found = browser.run("return [...document.querySelectorAll('tbody th')].map((cell) => cell.textContent)");
        assert!(found.await.unwrap().as_array().unwrap().contains(&json!(text)), "{text}");
        browser.click("tbody th a").await.unwrap();
        let title = browser.run("return document.querySelector('h1').textContent").await.unwrap();
        assert_eq!(title, json!(text));
        let ran = browser.run(&format!("return window.{} ?? null", hostile::TRACE)).await.unwrap();
        assert_eq!(ran, Value::Null, "{text} ran");
        is_quiet(&browser, text).await;
    }
    browser.close().await.unwrap();
}
