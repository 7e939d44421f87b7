//! More and more connections that all ask at once.

use anyhow::Result;

use super::curve::{CPU, Curve, Figures, MEMORY, P50, P99, RATE};
use super::{Growth, PATIENCE, ladder};
use crate::rig::{Keys, configuration};

const STEPS: [usize; 6] = [1, 8, 64, 512, 2_048, 4_096];
/// How many virtual keys they have.
const KEYS: usize = 1_000;

pub(super) async fn measure(growth: &Growth<'_>) -> Result<Curve> {
    let mut curve = Curve::new("connections", "connections", &[CPU, RATE, P50, P99, MEMORY]);
    let configuration = configuration(growth.upstream.address, Keys::Governed(KEYS))?;
    for count in ladder(&STEPS, growth.options.connections) {
        // Each with a server of its own: what one needs for many connections it keeps.
        let started = growth.keyward(&format!("connections-{count}")).start(Some(&configuration), PATIENCE).await?;
        let mut figures = Figures::new();
        growth.load(&started, &started.calls(KEYS), count, &mut figures).await?;
        curve.point(count, figures);
        started.program.end().await?;
    }
    Ok(curve)
}
