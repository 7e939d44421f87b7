//! Measurements: published builds on fresh databases, programs that ask them for things, and tables of what they say.

mod counts;
mod docs;
mod engine;
pub(crate) mod gate;
mod gateway;
mod growth;
mod machine;
mod management;
mod peers;
mod profile;
mod results;
mod soak;
mod targets;

use anyhow::{Result, bail, ensure};
use clap::ValueEnum;

use results::Results;

pub(crate) use docs::check;

/// Something that can be measured, or done with what was.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Admission by itself, without HTTP and without a database
    Engine,
    /// How many instructions the hot path takes, against the baseline (Linux on x86-64, valgrind)
    Gate,
    /// The gateway with everything on, beside nginx and haproxy, each on one core (Linux, two cores)
    Gateway,
    /// The management API and the start of the server, with many virtual keys on SQLite
    Management,
    /// What the cost of a request, the memory and the start become with more of everything (Linux, two cores)
    Growth,
    /// Half load of every kind for a long time: nothing may grow, be left over, or be missing in the books (Linux, two cores)
    Soak,
    /// Where the gateway's time goes under full load, as parts and as a flame graph (Linux, two cores, perf)
    Profile,
    /// The gateway beside every peer that is installed; with --install, their installation
    Peers,
    /// The tables and charts of docs/performance.md, from the results that are committed
    Docs,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure, one after the other
    #[arg(required = true)]
    suites: Vec<Suite>,
    /// How long each figure of a round is measured, in seconds [default: 5 beside peers, 2 for growth, 10 for a profile]
    #[arg(long)]
    seconds: Option<u64>,
    /// How often each figure is measured
    #[arg(long)]
    rounds: Option<u32>,
    /// How many virtual keys there are at most [default: 100000 for the management API, 1000000 for growth]
    #[arg(long)]
    virtual_keys: Option<usize>,
    /// Install the peers that are missing: packages of Debian (as root), PyPI and npm
    #[arg(long, help_heading = "Peers")]
    install: bool,
    #[command(flatten)]
    gate: gate::Options,
    #[command(flatten)]
    gateway: gateway::Options,
    #[command(flatten)]
    management: management::Options,
    #[command(flatten)]
    growth: growth::Options,
    #[command(flatten)]
    soak: soak::Options,
    #[command(flatten)]
    docs: docs::Options,
}

/// Measures, prints tables, and keeps the figures in `target/bench/`.
pub(crate) fn run(options: &Options) -> Result<()> {
    let wants = |suite| options.suites.contains(&suite);
    options.fit()?;
    if options.install {
        let failed = peers::install()?;
        let measures_anyway = options.suites.iter().any(|suite| *suite != Suite::Peers);
        ensure!(measures_anyway || failed.is_empty(), "not installed: {}", failed.join(", "));
    }
    if wants(Suite::Peers) {
        peers::tell();
    }
    if wants(Suite::Engine) {
        engine::run()?;
    }
    if wants(Suite::Gate) {
        gate::run(&options.gate)?;
    }
    if wants(Suite::Gateway) || (wants(Suite::Peers) && !options.install) {
        gateway::run(options, wants(Suite::Peers))?;
    }
    if wants(Suite::Management) {
        management::run(options)?;
    }
    if wants(Suite::Growth) {
        growth::run(options)?;
    }
    if wants(Suite::Profile) {
        profile::run(options)?;
    }
    // What fails here is told when everything else is done.
    let soaked = if wants(Suite::Soak) { soak::run(options) } else { Ok(()) };
    let has_aims = [Suite::Gateway, Suite::Management, Suite::Growth].into_iter().any(wants);
    if has_aims || (wants(Suite::Peers) && !options.install) {
        println!("\n{}", targets::table(&Results::last()?));
    }
    if wants(Suite::Docs) {
        docs::run(&options.docs)?;
    }
    soaked
}

impl Options {
    /// Options of suites that are not wanted are mistakes.
    fn fit(&self) -> Result<()> {
        let beside_peers: &[Suite] = &[Suite::Gateway, Suite::Peers];
        let (growth, soak, docs): (&[Suite], &[Suite], &[Suite]) = (&[Suite::Growth], &[Suite::Soak], &[Suite::Docs]);
        let given = [
            ("--install", self.install, &[Suite::Peers] as &[Suite]),
            ("--accept", self.gate.accept.is_some(), &[Suite::Gate]),
            ("--peers", self.gateway.peers.is_some(), beside_peers),
            ("--memory-after", self.gateway.memory_after.is_some(), beside_peers),
            ("--rounds", self.rounds.is_some(), &[Suite::Gateway, Suite::Peers, Suite::Growth]),
            ("--seconds", self.seconds.is_some(), &[Suite::Gateway, Suite::Peers, Suite::Growth, Suite::Profile]),
            ("--virtual-keys", self.virtual_keys.is_some(), &[Suite::Management, Suite::Growth]),
            ("--times", self.management.times.is_some(), &[Suite::Management]),
            ("--bare-keys", self.growth.bare_keys, growth),
            ("--meters", self.growth.meters.is_some(), growth),
            ("--connections", self.growth.connections.is_some(), growth),
            ("--body-bytes", self.growth.body_bytes.is_some(), growth),
            ("--ledger-rows", self.growth.ledger_rows.is_some(), growth),
            ("--curves", self.growth.curves.is_some(), growth),
            ("--minutes", self.soak.minutes.is_some(), soak),
            ("--check", self.docs.check, docs),
            ("--take", self.docs.take, docs),
        ];
        for (option, is_given, of) in given {
            if is_given && !self.suites.iter().any(|suite| of.contains(suite)) {
                let names = of.iter().filter_map(Suite::to_possible_value).map(|value| value.get_name().to_owned());
                bail!("{option} goes with {}", names.collect::<Vec<_>>().join(" and "));
            }
        }
        ensure!(!(self.docs.check && self.docs.take), "--check changes nothing: it does not go with --take");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    fn parsed(line: &str) -> Result<Options> {
        Ok(Arguments::try_parse_from(std::iter::once("bench").chain(line.split(' ')))?.options)
    }

    #[test]
    fn several_suites_may_be_named() {
        let options = parsed("gateway peers --rounds 1 --peers nginx,litellm").unwrap();
        assert!(options.suites == [Suite::Gateway, Suite::Peers]);
        options.fit().unwrap();
        assert!(parsed("--rounds 1").is_err());
    }

    #[test]
    fn an_option_goes_with_its_suite() {
        for (line, fits) in [
            ("management --virtual-keys 10", true),
            ("gateway growth --virtual-keys 10", true),
            ("gateway --virtual-keys 10", false),
            ("gateway --install", false),
            ("peers --install", true),
            ("soak --minutes 1", true),
            ("engine --minutes 1", false),
            ("gate --accept faster", true),
            ("gateway --accept faster", false),
            ("docs --check", true),
            ("docs --check --take", false),
        ] {
            assert_eq!(parsed(line).unwrap().fit().is_ok(), fits, "{line}");
        }
    }
}
