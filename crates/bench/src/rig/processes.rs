//! What a process and all that it has started use, as the kernel counts it in /proc.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// One process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// Processor time of its own and of its children that have ended, in clock ticks.
    ticks: u64,
}

/// The processor time of a process and of all below it, user and system.
pub(crate) fn processor_time(root: u32) -> Result<Duration> {
    let all = read()?;
    let ticks: u64 = family(&all, root).iter().filter_map(|id| all.get(id)).map(|stat| stat.ticks).sum();
    Ok(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second())?)
}

/// The resident memory of a process and of all below it, in bytes. What several share is shared out among them (PSS).
pub(crate) fn memory(root: u32) -> Result<u64> {
    let mut bytes = 0;
    for id in family(&read()?, root) {
        let path = format!("/proc/{id}/smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        bytes += pss(&text).with_context(|| format!("no Pss in {path}"))?;
    }
    Ok(bytes)
}

/// What a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Descriptors {
    pub(crate) sockets: u64,
    /// Files, timers, and what else there is.
    pub(crate) others: u64,
}

pub(crate) fn descriptors(process: u32) -> Result<Descriptors> {
    let mut open = Descriptors::default();
    for entry in fs::read_dir(format!("/proc/{process}/fd"))? {
        // One may have been closed since the directory was read.
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        if target.to_string_lossy().starts_with("socket:") { open.sockets += 1 } else { open.others += 1 }
    }
    Ok(open)
}

/// How many threads a process has.
pub(crate) fn threads(process: u32) -> Result<u64> {
    Ok(u64::try_from(fs::read_dir(format!("/proc/{process}/task"))?.count())?)
}

fn read() -> Result<BTreeMap<u32, Stat>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may have ended since the directory was read.
        let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        all.extend(stat(&text).map(|stat| (id, stat)));
    }
    Ok(all)
}

/// A process, and whoever has it among its ancestors.
fn family(all: &BTreeMap<u32, Stat>, root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(id, _)| *id));
        next += 1;
    }
    family
}

/// See proc_pid_stat(5). A program's name is in brackets, and may have brackets and spaces in it.
fn stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    // utime, stime, cutime, cstime.
    let ticks = [11, 12, 13, 14].into_iter().map(number).sum::<Option<u64>>()?;
    Some(Stat { parent: u32::try_from(number(1)?).ok()?, ticks })
}

fn pss(smaps: &str) -> Option<u64> {
    let line = smaps.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_its_time_and_that_of_children_that_ended() {
        let text = "42 (a (b) c) S 7 42 42 0 -1 4194560 99 98 1 0 100 20 3 4 20 0 1 0 5 9 9 18446744073709551615";
        assert_eq!(stat(text), Some(Stat { parent: 7, ticks: 127 }));
        assert_eq!(stat("42 (a) S 7"), None);
        assert_eq!(stat(""), None);
    }

    #[test]
    fn a_family_is_all_below_a_process() {
        let all = [(1, 0), (7, 1), (8, 7), (9, 8), (10, 1)];
        let all = all.into_iter().map(|(id, parent)| (id, Stat { parent, ticks: 1 })).collect();
        assert_eq!(family(&all, 7), [7, 8, 9]);
        assert_eq!(family(&all, 10), [10]);
    }

    #[test]
    fn memory_is_the_proportional_set() {
        let text = "55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:  2000 kB\nPss:      1234 kB\nPss_Dirty:  9 kB\n";
        assert_eq!(pss(text), Some(1234 * 1024));
        assert_eq!(pss("Rss: 1 kB"), None);
    }

    #[test]
    fn this_process_uses_something() {
        assert!(memory(std::process::id()).unwrap() > 0);
        processor_time(std::process::id()).unwrap();
        assert!(threads(std::process::id()).unwrap() > 0);
    }

    #[test]
    fn sockets_are_told_from_other_descriptors() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let file = fs::File::open("/proc/self/stat").unwrap();
        let open = descriptors(std::process::id()).unwrap();
        assert!(open.sockets >= 1 && open.others >= 1);
        drop((listener, file));
    }
}
