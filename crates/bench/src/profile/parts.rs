//! The parts that are looked for: a sample is of a part when one of the part's functions is on its stack.

use serde::Serialize;

/// What is looked for: with colons the path of something of Rust's, or a part of one; without, how a symbol of C begins. Parts overlap
/// where one calls the other.
const PARTS: [(&str, &[&str]); 16] = [
    ("system calls, of everything", &["entry_SYSCALL_64"]),
    ("the ledger's transactions", &["keyward_store::", "diesel::"]),
    ("– of it: counters of meters, of which every virtual key has its own", &["ledger::due::Due::post"]),
    ("– of it: bringing SQLite's log into its file", &["sqlite3Checkpoint"]),
    ("sending on sockets, to both sides", &["tcp_sendmsg"]),
    ("hyper's connections to the provider, with what they send", &["hyper::", "hyper_util::"]),
    ("the relay of answers, with their settlement", &["gateway::relay::"]),
    ("– of it: settlement, with the journal's second write", &["admit::Core::settle"]),
    ("– of it: reading what an answer has used", &["gateway::usage::of_answer"]),
    ("admission, with the journal's first write", &["admit::Engine::admit"]),
    ("what every answer says of limits", &["gateway::telling::limits"]),
    ("routing to a provider and its key", &["gateway::resolve::Route::resolve"]),
    ("bringing the journal to the disk", &["fdatasync"]),
    ("moves of memory, such as futures that are moved until they run", &["__memmove", "__memcpy", "memmove", "memcpy"]),
    ("asking for memory, and giving it back", &["mi_", "_mi_"]),
    ("waiting for something to do", &["__x64_sys_epoll_wait"]),
];

/// A part, and in how many samples it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    part: &'static str,
    samples: u64,
}

#[derive(Default)]
pub(super) struct Parts([u64; PARTS.len()]);

impl Parts {
    pub(super) fn count(&mut self, stack: &[String]) {
        for (count, (_, functions)) in self.0.iter_mut().zip(PARTS) {
            let is_there = functions.iter().any(|function| stack.iter().any(|name| is_of(name, function)));
            *count += u64::from(is_there);
        }
    }

    pub(super) fn all(self) -> Vec<Part> {
        PARTS.iter().zip(self.0).map(|((part, _), samples)| Part { part, samples }).collect()
    }
}

fn is_of(name: &str, function: &str) -> bool {
    if function.contains("::") { name.contains(function) } else { name.starts_with(function) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_once_of_each_part_that_is_on_its_stack() {
        let mut parts = Parts::default();
        for stack in ["w;<hyper::a as b>::c;hyper::d;tcp_sendmsg", "w;admi_x;mi_malloc"] {
            parts.count(&stack.split(';').map(str::to_owned).collect::<Vec<_>>());
        }
        let counted: Vec<_> = parts.all().into_iter().filter(|part| part.samples > 0).collect();
        let part = |part, samples| Part { part, samples };
        assert_eq!(
            counted,
            [
                part("sending on sockets, to both sides", 1),
                part("hyper's connections to the provider, with what they send", 1),
                part("asking for memory, and giving it back", 1),
            ]
        );
    }
}
