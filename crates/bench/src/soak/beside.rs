//! What goes on beside the load, once in a second: edits, rotations, streams of a virtual key that may have one at a time, pages, and samples.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use keyward_client::{BudgetInput, Client, Patch, UpdateVirtualKey, VirtualKeyId, VirtualKeyQuery};

use super::mix::chat;
use super::samples::Sample;
use crate::load::{self, Calls, Expected};
use crate::rig::{LONE, Started, secret};

/// How many samples there are at most.
const SAMPLES: u32 = 300;
const EVERY: Duration = Duration::from_secs(1);
/// The virtual keys that the load does not have: one is edited, the other rotated.
const EDITED: &str = "key-999";
const ROTATED: &str = "key-998";
/// How many reads are under way at once, at first: as many as the database has connections for, and more.
const READS: usize = 16;

/// Does everything once, and reads a lot at the same time.
pub(super) async fn warm_up(started: &Started) -> Result<()> {
    let manager = started.manager()?;
    let mut rotated = secret(998);
    turn(started, &manager, 0, &mut rotated).await?;
    let query = VirtualKeyQuery::default();
    futures_util::future::try_join_all((0..READS).map(|_| manager.virtual_key_list(&query))).await?;
    Ok(())
}

/// Goes on until the load is over. Returns the samples.
pub(super) async fn until(started: &Started, is_over: &Cell<bool>, time: Duration) -> Result<Vec<Sample>> {
    let manager = started.manager()?;
    let mut rotated = rotate(&manager).await?;
    let (begin, mut samples) = (Instant::now(), Vec::new());
    let (mut ticks, distance) = (tokio::time::interval(EVERY), time / SAMPLES);
    let mut number = 0;
    while !is_over.get() {
        ticks.tick().await;
        turn(started, &manager, number, &mut rotated).await?;
        number += 1;
        if begin.elapsed() >= distance * u32::try_from(samples.len())? {
            samples.push(Sample::of(started, begin.elapsed())?);
        }
    }
    Ok(samples)
}

async fn turn(started: &Started, manager: &Client, number: u64, rotated: &mut String) -> Result<()> {
    edit(manager, number).await?;
    let query = VirtualKeyQuery { limit: Some("25".to_owned()), ..VirtualKeyQuery::default() };
    manager.virtual_key_list(&query).await?;
    // The one before may still be read to its end.
    let one_at_a_time = Expected::Either(200, 429);
    let lone: Calls = [chat(started, &secret(LONE), true, one_at_a_time).leaving()].into();
    load::once(started.address, &lone).await?;
    let old = std::mem::replace(rotated, rotate(manager).await?);
    for (key, status) in [(rotated.as_str(), 200), (&old, 401)] {
        let call: Calls = [chat(started, key, false, Expected::Status(status))].into();
        load::once(started.address, &call).await.context("after a rotation")?;
    }
    Ok(())
}

async fn edit(manager: &Client, number: u64) -> Result<()> {
    let cap = if number.is_multiple_of(2) { "1000000000" } else { "2000000000" };
    let budget = BudgetInput { max_limit: Some(cap.parse()?), ..BudgetInput::default() };
    let request = UpdateVirtualKey { budget: Patch::Value(budget), ..UpdateVirtualKey::default() };
    manager.virtual_key_update(&VirtualKeyId::from(EDITED), &request).await?;
    Ok(())
}

async fn rotate(manager: &Client) -> Result<String> {
    let rotated = manager.virtual_key_rotate(&VirtualKeyId::from(ROTATED)).await?;
    Ok(rotated.virtual_key.value.expose().to_owned())
}
