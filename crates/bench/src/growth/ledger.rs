//! More and more entries in the ledger, each of a request that was answered.

use std::fs;
use std::time::Instant;

use anyhow::Result;
use keyward_client::{Client, Retries};

use super::curve::{CPU, Curve, Figures, MEMORY, P99, RATE, START};
use super::{CONNECTIONS, Growth, PATIENCE, ladder};
use crate::load::{self, Until};
use crate::rig::{FIRST, Keys, Keyward, Started, configuration, entries_checked, mebibytes, secret};
use crate::spread::Spread;

const STEPS: [usize; 5] = [0, 10_000, 100_000, 1_000_000, 10_000_000];
/// How many virtual keys have asked.
const KEYS: usize = 100;
/// How often a virtual key's quota is read.
const READS: usize = 20;

type Figure = (&'static str, &'static str);
const QUOTA: Figure = ("quota_ms", "a virtual key's quota, ms");
const RECONCILE: Figure = ("reconcile_s", "`ledger reconcile`, s");
const SIZE: Figure = ("database_mib", "database, MiB");

pub(super) async fn measure(growth: &Growth<'_>) -> Result<Curve> {
    let mut curve =
        Curve::new("ledger", "entries of the ledger", &[CPU, RATE, P99, MEMORY, START, QUOTA, RECONCILE, SIZE]);
    let keyward = growth.keyward("ledger");
    let configuration = configuration(growth.upstream.address, Keys::Governed(KEYS))?;
    let mut running = keyward.start(Some(&configuration), PATIENCE).await?;
    let mut entries = 0;
    for count in ladder(&STEPS, growth.options.ledger_rows) {
        let missing = u64::try_from(count.saturating_sub(entries))?;
        if missing > 0 {
            load::closed(running.address, &running.calls(KEYS), CONNECTIONS, Until::Made(missing)).await?;
        }
        let mut figures = Figures::new();
        running.program.end().await?;
        entries = look(&keyward, &mut figures)?;
        running = growth.starts(&keyward, &mut figures).await?;
        quota(&running, &mut figures).await?;
        growth.load(&running, &running.calls(KEYS), CONNECTIONS, &mut figures).await?;
        curve.point(entries, figures);
    }
    running.program.end().await?;
    Ok(curve)
}

/// Checks the books of a database that nobody uses, and looks how large it is. Returns how many entries there are.
fn look(keyward: &Keyward<'_>, figures: &mut Figures) -> Result<usize> {
    let begin = Instant::now();
    let said = keyward.command(&["ledger", "reconcile"])?;
    let taken = begin.elapsed().as_secs_f64();
    let bytes = fs::metadata(&keyward.database)?.len();
    for (figure, value) in [(RECONCILE, taken), (SIZE, mebibytes(bytes))] {
        figures.extend(Spread::of(&[value]).map(|spread| (figure.0, spread)));
    }
    entries_checked(&said)
}

async fn quota(running: &Started, figures: &mut Figures) -> Result<()> {
    let client = Client::builder().base_url(&format!("http://{}", running.address)).retries(Retries::none());
    let client = client.virtual_key(secret(FIRST)).build()?;
    let mut taken = Vec::with_capacity(READS);
    for _ in 0..READS {
        let begin = Instant::now();
        client.virtual_key_quota().await?;
        taken.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    figures.extend(Spread::of(&taken).map(|spread| (QUOTA.0, spread)));
    Ok(())
}
