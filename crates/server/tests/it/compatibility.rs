//! `docs/compatibility.md` says which endpoints are served and which file tests each, which fixtures show what of the gateway, and
//! which SDKs work: here it is held to that.

use std::collections::BTreeSet;
use std::path::Path;

use keyward_server::openapi::Document;
use serde_json::Value;

use crate::harness::Fixture;

const PAGE: &str = include_str!("../../../../docs/compatibility.md");

/// The rows of the table of endpoints: what is served, and the last column.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.lines().take_while(|line| *line != "## The gateway").filter_map(|line| {
        let (endpoint, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        let (method, path) = endpoint.split_once(' ')?;
        let is_endpoint = method.chars().all(|letter| letter.is_ascii_uppercase()) && path.starts_with('/');
        let columns: Vec<_> = rest.trim_end_matches(" |").split(" |").collect();
        (is_endpoint && columns.len() == 7).then(|| (endpoint, columns[6]))
    })
}

#[test]
fn the_table_of_endpoints_is_what_the_router_serves() {
    let document = serde_json::to_value(Document::Management.collect()).unwrap();
    let served: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            let methods = methods.filter(|name| ["get", "post", "put", "patch", "delete"].contains(&name.as_str()));
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let listed: BTreeSet<String> = rows().map(|(endpoint, _)| endpoint.to_owned()).collect();
    assert_eq!(listed, served);
}

#[test]
fn every_endpoint_has_a_test_that_is_there() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("it");
    for (endpoint, column) in rows() {
        let files: Vec<_> = column.split('`').skip(1).step_by(2).collect();
        assert!(!files.is_empty(), "{endpoint}");
        for file in files {
            assert!(tests.join(file).is_file(), "{endpoint}: {file}");
        }
    }
}

/// The lines of the section about the gateway.
fn gateway() -> impl Iterator<Item = &'static str> {
    PAGE.lines().skip_while(|line| *line != "## The gateway").skip(1).take_while(|line| !line.starts_with("## "))
}

/// What stands in backticks in some columns of a row.
fn named(row: &'static str, columns: std::ops::Range<usize>) -> impl Iterator<Item = &'static str> {
    let cells = row.trim_matches('|').split('|').enumerate().filter(move |(column, _)| columns.contains(column));
    cells.flat_map(|(_, cell)| cell.split('`').skip(1).step_by(2))
}

#[test]
fn the_gateways_cells_name_every_fixture_and_no_other_at_its_route_and_provider() {
    let mut there = BTreeSet::new();
    for fixture in Fixture::dialects().iter().flat_map(|dialect| Fixture::of_dialect(dialect)) {
        let (method, path) = (&fixture.case.method, &fixture.case.path);
        let provider = if fixture.case.provider == "house" { "any other" } else { &fixture.case.provider };
        let row = gateway().find(|row| named(row, 2..8).any(|name| name == fixture.name));
        let row = row.unwrap_or_else(|| panic!("{} is in no cell", fixture.name));
        let route = named(row, 0..1).next().unwrap();
        assert!(is_at(route, &format!("{method} {path}")), "{} is not at {route}", fixture.name);
        assert_eq!(row.split('|').nth(2).unwrap().trim(), provider, "{}", fixture.name);
        there.insert(fixture.name);
    }
    let is_route = |row: &&'static str| named(row, 0..1).any(|name| name.contains(" /"));
    for name in gateway().filter(is_route).flat_map(|row| named(row, 2..8)) {
        assert!(there.contains(name), "there is no fixture {name}");
    }
}

/// Whether a call is one of a route, whose parameters may be anything without a slash.
fn is_at(route: &str, call: &str) -> bool {
    let Some((before, rest)) = route.split_once('{') else { return route == call };
    let Some(from) = call.strip_prefix(before) else { return false };
    let after = rest.split_once('}').unwrap().1;
    from.strip_suffix(after).is_some_and(|parameter| !parameter.is_empty() && !parameter.contains('/'))
}

/// The SDKs are those that the lock files pin, and each is tried by a test that is there.
#[test]
fn the_sdks_are_those_that_are_pinned_and_tried() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let read = |file: &str| std::fs::read_to_string(tests.join(file)).unwrap();
    let (python, node) = (read("sdks/python/requirements.in"), read("sdks/node/package.json"));
    let node: Value = serde_json::from_str(&node).unwrap();
    let scripts = read("it/sdks/mod.rs");
    let mut pinned: BTreeSet<String> =
        python.lines().map(|line| format!("{} (Python)", line.replace("==", " "))).collect();
    let node = node["dependencies"].as_object().unwrap();
    pinned.extend(node.iter().map(|(name, version)| format!("{name} {} (Node)", version.as_str().unwrap())));
    let mut told = BTreeSet::new();
    for row in gateway().filter(|row| row.contains("`sdks::")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (name, language) = cells[0].trim_start_matches('`').split_once("` ").unwrap();
        told.insert(format!("{name} {} {language}", cells[1]));
        for test in named(row, 2..3) {
            let function = format!("async fn {}()", test.strip_prefix("sdks::").unwrap());
            assert!(scripts.contains(&function), "there is no test {test}");
        }
    }
    assert_eq!(told, pinned);
}
