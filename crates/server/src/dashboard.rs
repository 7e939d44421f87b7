//! The dashboard: pages for people at `/`, rendered here, with everything that they load in the binary.
//!
//! Pages read what handlers of the API read, by the same calls and under the same permissions. They change nothing themselves: a
//! form goes to the management API as JSON, so that its rules, its audit log and its errors are the only ones.

use actix_web::web;

mod assets;
mod components;
mod failure;
mod form;
mod frame;
mod link;
mod live;
mod pages;
mod section;
mod sign_in;
mod visitor;

pub(crate) use failure::failure;

use section::Section;

/// The pages that do not belong to a section.
const APART: [&str; 3] = ["login", "logout", "new"];

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(assets::asset).service(sign_in::sign_in_form).service(sign_in::sign_in).service(sign_in::sign_out);
    pages::routes(config);
}

/// Whether a page of the dashboard is at this path, or would be: what fails there is told as a page.
pub(crate) fn is_page(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|rest| rest.split('/').next());
    path == "/" || first.is_some_and(|name| APART.contains(&name) || Section::find(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::is_page;

    #[test]
    fn pages_are_told_from_the_paths_of_apis() {
        for path in ["/", "/login", "/virtual-keys", "/virtual-keys/1/edit", "/new/teams", "/events"] {
            assert!(is_page(path), "{path}");
        }
        for path in
            ["", "/v1/models", "/api/governance/teams", "/virtual-keysx", "//evil.example", "/assets/a.css", "/nothing"]
        {
            assert!(!is_page(path), "{path}");
        }
    }
}
