//! Any sequence of events, against a model that is too simple to be wrong.

use keyward_core::meter::Metric;
use keyward_engine::Admission;
use proptest::prelude::*;
use serde_json::json;

use crate::world::{World, at, budget, model_config, output, rate_limit, settled};

const CAP: i64 = 100;
const REQUESTS: i64 = 8;
const WINDOW: i64 = 60;

#[derive(Debug, Clone)]
enum Event {
    Ask { bound: u64 },
    Settle { which: usize, percent: u64 },
    Release { which: usize },
    Abandon { which: usize },
    Wait { seconds: i64 },
}

fn any_event() -> impl Strategy<Value = Event> {
    let which = any::<usize>();
    prop_oneof![
        4 => (0u64..60).prop_map(|bound| Event::Ask { bound }),
        2 => (which, 0u64..=100).prop_map(|(which, percent)| Event::Settle { which, percent }),
        1 => which.prop_map(|which| Event::Release { which }),
        1 => which.prop_map(|which| Event::Abandon { which }),
        1 => (0i64..40).prop_map(|seconds| Event::Wait { seconds }),
    ]
}

/// What is used and held in the current window.
#[derive(Default)]
struct Model {
    window: i64,
    used: i64,
    requests: i64,
    running: Vec<(i64, u64, Admission)>,
}

impl Model {
    fn held(&self) -> (i64, i64) {
        let current = self.running.iter().filter(|(window, ..)| *window == self.window);
        current.fold((0, 0), |(held, count), (_, bound, _)| (held + *bound as i64, count + 1))
    }

    fn end(&mut self, which: usize) -> Option<(i64, u64, Admission)> {
        (!self.running.is_empty()).then(|| self.running.remove(which % self.running.len()))
    }

    fn charge(&mut self, window: i64, amount: i64, requests: i64) {
        if window == self.window {
            self.used += amount;
            self.requests += requests;
        }
    }
}

proptest! {
    /// I1, I2, I4 and I6 together: the engine admits exactly what the model does, and its books add up after every event. The meters
    /// are a virtual key's, those of a model config for it, and those of one for everybody.
    #[test]
    fn i1_i2_i4_i6_any_sequence_agrees_with_the_model(events in proptest::collection::vec(any_event(), 1..80)) {
        let world = World::with_key(json!({ "budgets": [budget("b", CAP, WINDOW as u32)] }));
        let everyone = json!({ "rate_limit": rate_limit("r", None, Some(REQUESTS)), "provider": "p" });
        world.engine.put_model_config(&model_config("mc", everyone), at(0));
        let wider = json!({ "budgets": [budget("w", 2 * CAP, WINDOW as u32)], "scope": "virtual_key", "scope_id": "vk" });
        world.engine.put_model_config(&model_config("wider", wider), at(0));
        let (mut model, mut now, mut settlements) = (Model::default(), 0i64, 0usize);
        for event in events {
            match event {
                Event::Wait { seconds } => now += seconds,
                Event::Ask { bound } => {
                    if now / WINDOW != model.window {
                        (model.window, model.used, model.requests) = (now / WINDOW, 0, 0);
                    }
                    let (held, count) = model.held();
                    let fits = model.used + held + bound as i64 <= CAP && model.requests + count < REQUESTS;
                    let asked = world.ask(bound, at(now));
                    prop_assert_eq!(asked.is_ok(), fits);
                    model.running.extend(asked.ok().map(|admission| (model.window, bound, admission)));
                }
                Event::Settle { which, percent } => if let Some((window, bound, admission)) = model.end(which) {
                    let used = bound * percent / 100;
                    admission.settle(settled(Some(output(used)), at(now)));
                    model.charge(window, used as i64, 1);
                    settlements += 1;
                },
                Event::Release { which } => if let Some((.., admission)) = model.end(which) {
                    admission.release();
                },
                Event::Abandon { which } => if let Some((window, bound, admission)) = model.end(which) {
                    drop(admission);
                    model.charge(window, bound as i64, 1);
                    settlements += 1;
                },
            }
            prop_assert!(world.used("b", Metric::Cost) <= CAP);
            if model.window == now / WINDOW && settlements > 0 {
                prop_assert_eq!(world.used("b", Metric::Cost), model.used);
                prop_assert_eq!(world.used("w", Metric::Cost), model.used);
                prop_assert_eq!(world.used("r", Metric::Requests), model.requests);
            }
            prop_assert_eq!(world.ledger.entries.lock().unwrap().len(), settlements);
        }
        for (limit, metric) in [("b", Metric::Cost), ("w", Metric::Cost), ("r", Metric::Requests)] {
            if let Some(folded) = world.folded(limit, metric) {
                let count = world.engine.count(&crate::world::meter(limit, metric)).unwrap();
                prop_assert_eq!(folded.rolled(count.window), count);
            }
        }
    }
}
