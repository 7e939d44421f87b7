//! What is measured: something that takes chat completions at an address, and the process that does it.

use std::net::SocketAddr;
use std::rc::Rc;

use serde::Serialize;

use crate::answers;
use crate::load::{Call, Calls, Expected};
use crate::rig::Program;

/// A key that nobody has been given.
const UNKNOWN_KEY: &str = "sk-bf-ffffffff-ffff-4fff-8fff-ffffffffffff";

/// How much a subject is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Pace {
    /// In a closed loop.
    pub(super) connections: usize,
    /// In an open loop.
    pub(super) requests_per_second: u32,
    pub(super) streams_per_second: u32,
}

impl Pace {
    /// What every subject is asked that can answer it.
    pub(super) const FULL: Self = Self { connections: 64, requests_per_second: 200, streams_per_second: 40 };
}

pub(super) struct Subject {
    pub(super) name: &'static str,
    /// What it says about its version; empty for the upstream itself.
    pub(super) version: String,
    pub(super) address: SocketAddr,
    /// Who does the work; nothing for the upstream itself, which is the control.
    pub(super) program: Option<Rc<Program>>,
    pub(super) pace: Pace,
    pub(super) completions: Calls,
    /// None where it cannot stream.
    pub(super) streams: Calls,
    /// Calls that it refuses, by the name of the refusal.
    pub(super) refusals: Vec<(&'static str, Calls)>,
}

impl Subject {
    /// The upstream with nothing before it.
    pub(super) fn direct(address: SocketAddr) -> Self {
        let subject = Self::gateway("direct", String::new(), address, &[UNKNOWN_KEY.to_owned()]);
        Self { refusals: Vec::new(), ..subject }
    }

    /// A gateway that knows these keys, and no others, and passes answers on as they are.
    pub(super) fn gateway(name: &'static str, version: String, address: SocketAddr, keys: &[String]) -> Self {
        let (whole, streamed) = (answers::completion(), answers::stream().concat());
        let call = |key: &String, request: &str, body: &[u8]| {
            Call::chat(address, key, &[], request, Expected::Body(body.to_vec().into()))
        };
        Self {
            name,
            version,
            address,
            program: None,
            pace: Pace::FULL,
            completions: keys.iter().map(|key| call(key, &answers::completion_request(), &whole)).collect(),
            streams: keys.iter().map(|key| call(key, &answers::stream_request(), &streamed)).collect(),
            refusals: vec![("401", refusals(address, UNKNOWN_KEY, 401))],
        }
    }

    /// A gateway that writes answers anew, and is asked with these headers.
    pub(super) fn rewriting(
        name: &'static str,
        version: String,
        address: SocketAddr,
        key: &str,
        headers: &[(&str, String)],
    ) -> Self {
        let call = |request: &str, piece, times| {
            [Call::chat(address, key, headers, request, Expected::Pieces(piece, times))].into()
        };
        Self {
            completions: call(&answers::completion_request(), answers::LAST_WORDS, 1),
            streams: call(&answers::stream_request(), answers::WORD, answers::CHUNKS - 1),
            refusals: Vec::new(),
            ..Self::gateway(name, version, address, &[])
        }
    }

    pub(super) fn run_by(self, program: Rc<Program>) -> Self {
        Self { program: Some(program), ..self }
    }

    pub(super) fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}

/// Calls that are answered with a status, whatever else is in the answer.
pub(super) fn refusals(address: SocketAddr, key: &str, status: u16) -> Calls {
    [Call::chat(address, key, &[], &answers::completion_request(), Expected::Status(status))].into()
}
