//! Stacks as a tree: who called whom, and in how many samples.

use std::collections::BTreeMap;

use serde::Serialize;

/// Of so many samples one is too few to be shown.
const LEAST: u64 = 250;
/// What runs everything and says nothing of what is run.
const RUNTIME: [&str; 13] = [
    "std::",
    "core::",
    "alloc::",
    "tokio::",
    "actix_rt::",
    "futures_",
    "<core::",
    "<alloc::",
    "<std::",
    "<tokio::",
    "<futures_",
    "start_thread",
    "__clone",
];
const UNKNOWN: &str = "[unknown]";

/// A function under the one that called it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Frame {
    name: String,
    samples: u64,
    calls: Vec<Frame>,
}

#[derive(Default)]
pub(super) struct Tree {
    samples: u64,
    calls: BTreeMap<String, Tree>,
}

impl Tree {
    /// A stack more. Functions of the runtime are left out: what they call is called by those that they were called by.
    pub(super) fn add(&mut self, stack: &[String]) {
        self.samples += 1;
        let mut at = self;
        let mut last = "";
        for name in stack.iter().filter(|name| !is_runtime(name)) {
            if name == last {
                continue;
            }
            at = at.calls.entry(name.clone()).or_default();
            at.samples += 1;
            last = name;
        }
    }

    pub(super) const fn samples(&self) -> u64 {
        self.samples
    }

    /// Without what is too rare to be seen.
    pub(super) fn pruned(self) -> Frame {
        let least = (self.samples / LEAST).max(1);
        self.frame("all".to_owned(), least)
    }

    fn frame(self, name: String, least: u64) -> Frame {
        let Self { samples, calls } = self;
        let often = calls.into_iter().filter(|(_, call)| call.samples >= least);
        Frame { name, samples, calls: often.map(|(name, call)| call.frame(name, least)).collect() }
    }
}

fn is_runtime(name: &str) -> bool {
    name == UNKNOWN || RUNTIME.iter().any(|runtime| name.starts_with(runtime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_where_they_were_made() {
        let mut tree = Tree::default();
        for stack in ["w;std::a;b;c", "w;b;b;d", "w;core::x;b"] {
            tree.add(&stack.split(';').map(str::to_owned).collect::<Vec<_>>());
        }
        assert_eq!(tree.samples(), 3);
        let leaf = |name: &str| Frame { name: name.to_owned(), samples: 1, calls: Vec::new() };
        let b = Frame { name: "b".to_owned(), samples: 3, calls: vec![leaf("c"), leaf("d")] };
        let w = Frame { name: "w".to_owned(), samples: 3, calls: vec![b] };
        assert_eq!(tree.pruned(), Frame { name: "all".to_owned(), samples: 3, calls: vec![w] });
    }

    #[test]
    fn what_is_rare_is_not_shown() {
        let mut tree = Tree::default();
        (0..999).for_each(|_| tree.add(&["often".to_owned()]));
        tree.add(&["once".to_owned()]);
        assert_eq!(tree.pruned().calls.len(), 1);
    }
}
