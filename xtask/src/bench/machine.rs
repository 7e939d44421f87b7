//! The machine that something was measured on, and when.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::process::output;

pub(super) struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
    rustc: String,
    day: String,
}

impl Machine {
    pub(super) fn this() -> Result<Self> {
        // Other systems than Linux have none of these files.
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(Self {
            processor: processor(&cpuinfo).unwrap_or("unknown").to_owned(),
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            kernel: kernel.trim().to_owned(),
            rustc: output(Command::new("rustc").arg("--version"))?.trim().to_owned(),
            day: output(Command::new("date").args(["-u", "+%Y-%m-%d"]))?.trim().to_owned(),
        })
    }

    /// As the members of a result.
    pub(super) fn told(&self) -> Map<String, Value> {
        let Self { processor, cores, kernel, rustc, day } = self;
        let machine = json!({ "processor": processor, "cores": cores, "kernel": kernel });
        [("measured", json!(day)), ("machine", machine), ("rustc", json!(rustc))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

fn processor(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_has_a_name() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: a b\n"), Some("AMD EPYC"));
        assert_eq!(processor("Hardware\t: x\n"), None);
    }
}
