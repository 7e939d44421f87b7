//! More and more meters that count each request: budgets of one virtual key, each over another window.

use anyhow::Result;

use super::curve::{CPU, Curve, Figures, P99, RATE};
use super::{CONNECTIONS, Growth, PATIENCE, ladder};
use crate::answers;
use crate::load::{Call, Expected};
use crate::rig::{Keys, configuration, secret};

const STEPS: [usize; 6] = [1, 2, 4, 8, 16, 32];

pub(super) async fn measure(growth: &Growth<'_>) -> Result<Curve> {
    let mut curve = Curve::new("meters", "meters of a plan", &[CPU, RATE, P99]);
    for count in ladder(&STEPS, growth.options.meters) {
        let configuration = configuration(growth.upstream.address, Keys::Metered(count))?;
        let started = growth.keyward(&format!("meters-{count}")).start(Some(&configuration), PATIENCE).await?;
        let expected = Expected::Body(answers::completion());
        let call = Call::chat(started.address, &secret(0), &[], &answers::completion_request(), expected);
        let mut figures = Figures::new();
        growth.load(&started, &[call].into(), CONNECTIONS, &mut figures).await?;
        curve.point(count, figures);
        started.program.end().await?;
    }
    Ok(curve)
}
