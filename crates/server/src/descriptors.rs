//! File descriptors: every connection is one, and a shell gives a program few of those that it may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets the process have as many as the system allows it.
pub(crate) fn allow_all() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, limit = current, "the limit of open files stays as it is: there are no more connections than that");
    }
}
