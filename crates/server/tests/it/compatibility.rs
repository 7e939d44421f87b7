//! `docs/compatibility.md` says which endpoints are served, and which file tests each: here it is held to that.

use std::collections::BTreeSet;
use std::path::Path;

use keyward_server::openapi::Document;

const PAGE: &str = include_str!("../../../../docs/compatibility.md");

/// The rows of the table of endpoints: what is served, and the last column.
fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.lines().filter_map(|line| {
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
