//! Longer and longer bodies of requests.

use anyhow::Result;

use super::curve::{CPU, Curve, Figures, MEMORY, P50, RATE};
use super::{Growth, PATIENCE, ladder};
use crate::answers;
use crate::load::{Call, Expected};
use crate::rig::{FIRST, Keys, configuration, secret};

const STEPS: [usize; 5] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// How many connections send them: few, since the upstream reads all of each into its memory.
const CONNECTIONS: usize = 8;

pub(super) async fn measure(growth: &Growth<'_>) -> Result<Curve> {
    let mut curve = Curve::new("bodies", "bytes of a request's body", &[CPU, RATE, P50, MEMORY]);
    let configuration = configuration(growth.upstream.address, Keys::Governed(FIRST + 1))?;
    for bytes in ladder(&STEPS, growth.options.body_bytes) {
        let started = growth.keyward(&format!("bodies-{bytes}")).start(Some(&configuration), PATIENCE).await?;
        let expected = Expected::Body(answers::completion());
        let call = Call::chat(started.address, &secret(FIRST), &[], &answers::long_request(bytes), expected);
        let mut figures = Figures::new();
        growth.load(&started, &[call].into(), CONNECTIONS, &mut figures).await?;
        curve.point(bytes, figures);
        started.program.end().await?;
    }
    Ok(curve)
}
