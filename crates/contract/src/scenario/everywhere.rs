//! What every operation refuses in the same way: a missing credential, a request that cannot be read, a body without end.

use crate::call::Call;
use crate::document::Operation;
use crate::run::Run;

/// Operations at which a wrong password is what 401 means.
const LOGIN: &str = "session_login";
/// The operation that asks for a virtual key.
const QUOTA: &str = "virtual_key_quota";

/// The operations of the management document that a status is documented for.
pub(super) fn documenting(run: &Run, status: u16) -> Vec<Operation> {
    let [management, _] = run.contract.documents();
    management.operations().iter().filter(|operation| operation.documents(status)).cloned().collect()
}

/// A call that is well formed as far as it needs to be for its credential to be looked at.
pub(super) fn bare(operation: &Operation) -> Call {
    let call = with_ids(operation, "x");
    if operation.has_body() { call.text("{", "application/json") } else { call }
}

fn with_ids(operation: &Operation, id: &str) -> Call {
    let names = operation.template.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    Call::to(&operation.id).at(names.map(|name| (name, id)))
}

pub(super) async fn without_credential(run: &mut Run) {
    if !run.is_guarded {
        return;
    }
    for operation in documenting(run, 401) {
        if operation.id != LOGIN {
            run.probe(bare(&operation).anonymous(), 401).await;
        }
    }
}

pub(super) async fn malformed(run: &mut Run) {
    for operation in documenting(run, 400) {
        let call = if operation.id == QUOTA {
            Call::to(QUOTA).virtual_key("sk-bf-one").header("api-key", "sk-bf-another")
        } else if operation.has_body() {
            bare(&operation)
        } else if operation.has_parameters("path") {
            // No id has a NUL in it.
            with_ids(&operation, "%00")
        } else {
            bare(&operation).query("no_such_parameter", "1")
        };
        run.probe(call, 400).await;
    }
}

pub(super) async fn too_large(run: &mut Run) {
    for operation in documenting(run, 413) {
        run.probe(with_ids(&operation, "x").endless(), 413).await;
    }
}
