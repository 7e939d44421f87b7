//! What is documented and cannot be provoked from outside, and why. The list is data: a status that was reached after all, or that
//! is documented no more, must leave it.

use std::collections::BTreeMap;

use crate::coverage::Reached;
use crate::document::{Document, Operation};

/// Statuses that no caller can bring about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprovoked {
    /// The operations; none: all of them.
    pub operations: &'static [&'static str],
    /// The status.
    pub status: u16,
    /// Why nobody outside can bring it about.
    pub reason: &'static str,
}

/// Statuses that the run does not reach, each with its reason.
pub const UNPROVOKED: [Unprovoked; 6] = [
    Unprovoked { operations: &[], status: 500, reason: "a fault of the server: there would have to be one" },
    Unprovoked {
        operations: &[],
        status: 503,
        reason: "the database would have to be away, or the server about to stop",
    },
    Unprovoked {
        operations: &["virtual_key_quota"],
        status: 404,
        reason: "the virtual key would have to be deleted between the check of its secret and the look at its limits",
    },
    Unprovoked {
        operations: &["session_status"],
        status: 403,
        reason: "a session's token is looked at, and no page is refused; documented with the other operations of sessions",
    },
    Unprovoked {
        operations: &[
            "budget_override_set",
            "config_update",
            "provider_governance_update",
            "provider_update",
            "virtual_keys_rotate",
        ],
        status: 409,
        reason: "nothing in the body is a name that another one can have; documented with the other bodies",
    },
    Unprovoked {
        operations: &["pricing_override_create", "pricing_override_patch", "pricing_override_update"],
        status: 409,
        reason: "two pricing overrides may have one name; documented with the other bodies",
    },
];

/// Writes that change nothing that the audit log is about.
const UNAUDITED: [&str; 1] = ["request_explain"];

/// Whether a write needs no entry in the audit log.
#[must_use]
pub fn is_unaudited(operation: &str) -> bool {
    UNAUDITED.contains(&operation)
}

impl Unprovoked {
    fn is_about(&self, operation: &Operation, status: u16) -> bool {
        self.status == status && (self.operations.is_empty() || self.operations.contains(&operation.id.as_str()))
    }
}

/// What of a document was not reached and should have been, and what of the list is not needed: operation and complaint.
pub(crate) fn complaints(document: &Document, reached: &BTreeMap<String, Reached>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for operation in document.operations() {
        let came = reached.get(&operation.id).cloned().unwrap_or_default();
        for (text, response) in operation.responses() {
            let Ok(status) = text.parse::<u16>() else { continue };
            let media = came.statuses.get(&status);
            let listed = UNPROVOKED.iter().any(|unprovoked| unprovoked.is_about(operation, status));
            let complain = |what: &str| (operation.id.clone(), format!("{status} {what}"));
            match (media, listed) {
                (None, false) => found.push(complain("is documented and was not reached")),
                (Some(_), true) => found.push(complain("is on the list of what cannot be provoked, and was reached")),
                (None, true) => {}
                (Some(media), false) => {
                    let documented =
                        response.get("content").and_then(serde_json::Value::as_object).into_iter().flatten();
                    let unseen = documented.filter(|(name, _)| !media.contains(*name));
                    found.extend(unseen.map(|(name, _)| complain(&format!("was not reached as {name}"))));
                }
            }
        }
    }
    found.extend(stale(document));
    found
}

/// Entries of the list that the document has no use for.
fn stale(document: &Document) -> Vec<(String, String)> {
    let named =
        UNPROVOKED.iter().flat_map(|unprovoked| unprovoked.operations.iter().map(move |id| (id, unprovoked.status)));
    let documented = |id: &str, status| {
        document.operations().iter().any(|operation| operation.id == id && operation.documents(status))
    };
    let stale = named.filter(|(id, status)| !documented(id, *status));
    stale.map(|(id, status)| ((*id).to_owned(), format!("{status} is on the list and not documented"))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn of_quota(reached: &[(u16, &str)]) -> Vec<String> {
        let json = json!({ "content": { "application/json": {}, "text/csv": {} } });
        let responses = json!({ "200": json, "404": {}, "500": {} });
        let operation = json!({ "operationId": "virtual_key_quota", "responses": responses });
        let document = Document::new("test", json!({ "paths": { "/quota": { "get": operation } } }));
        let mut came = Reached::default();
        for (status, media) in reached {
            came.statuses.entry(*status).or_default().insert((*media).to_owned());
        }
        let found = complaints(&document, &BTreeMap::from([("virtual_key_quota".to_owned(), came)]));
        found.into_iter().filter(|(operation, _)| operation == "virtual_key_quota").map(|(_, what)| what).collect()
    }

    #[test]
    fn what_is_documented_must_be_reached_in_every_form_unless_it_is_listed() {
        assert_eq!(of_quota(&[(200, "application/json"), (200, "text/csv")]), [""; 0]);
        assert_eq!(of_quota(&[(200, "text/csv")]), ["200 was not reached as application/json"]);
        assert_eq!(of_quota(&[]), ["200 is documented and was not reached"]);
    }

    #[test]
    fn what_is_listed_and_reached_must_leave_the_list() {
        let found = of_quota(&[(200, "application/json"), (200, "text/csv"), (404, "")]);
        assert_eq!(found, ["404 is on the list of what cannot be provoked, and was reached"]);
    }

    #[test]
    fn the_list_names_each_operation_that_the_documents_have_once_for_a_status() {
        let contract = crate::Contract::published().unwrap();
        let [management, _] = contract.documents();
        assert!(stale(management).is_empty(), "{:?}", stale(management));
        let named = UNPROVOKED.iter().flat_map(|listed| listed.operations.iter().map(move |id| (id, listed.status)));
        let named: Vec<_> = named.collect();
        assert_eq!(named.iter().collect::<BTreeSet<_>>().len(), named.len());
        assert!(UNPROVOKED.iter().all(|listed| !listed.reason.is_empty()));
    }
}
