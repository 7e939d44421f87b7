//! What was spent before anybody knew how much: a batch, which its provider worked off on its own. It is recorded as an entry like
//! any other, and never refused: nothing that could be held back is left.

use jiff::Timestamp;
use keyward_core::ids::{ModelName, ProviderKeyId, ProviderName, RequestId, VirtualKeyId};
use keyward_core::ledger::{Attribution, Outcome};
use keyward_core::money::NanoUsd;
use keyward_core::price::{Usage, VersionedPrice};
use keyward_core::refusal::Refusal;

use crate::admission::Settlement;
use crate::admit::Engine;
use crate::identity::{Permit, Principal};
use crate::open::Open;
use crate::terms::Terms;

/// What was spent, and on what.
#[derive(Debug, Clone)]
pub struct Spent {
    /// The request that began it.
    pub request_id: RequestId,
    /// Which attempt of the request, from 1: the request itself was attempt 0, and counted as a request then.
    pub attempt: i32,
    /// Who served it.
    pub provider: ProviderName,
    /// The real credential that served it.
    pub provider_key_id: ProviderKeyId,
    /// The model as the client named it.
    pub model: ModelName,
    /// What the provider calls it.
    pub model_served: ModelName,
    /// What it costs, if that is known.
    pub price: Option<VersionedPrice>,
    /// What was used.
    pub usage: Usage,
}

/// The right to ask a provider what became of something that was admitted: the answer is what the books are waiting for. It costs
/// nothing, counts nowhere, and has no entry.
#[derive(Debug)]
pub struct Inquiry(());

impl Engine {
    /// Who owes what is found out afterwards: the virtual key, whatever state it is in by now; none when it is gone.
    #[must_use]
    pub fn debtor(&self, id: &VirtualKeyId) -> Option<Principal> {
        self.core.policies.key_of(id).map(|policy| Principal { policy })
    }

    /// The right to ask what became of something of this debtor's.
    #[must_use]
    pub const fn inquiry(&self, _: &Principal) -> Inquiry {
        Inquiry(())
    }

    /// Records what was spent, on every meter that covers it, and writes it down as one entry. What exceeds a limit is debt: it counts
    /// in the window of `now`. It is no request of its own. Returns the cost.
    ///
    /// The caller makes sure that the same attempt is recorded once. When the process dies in between, the journal has it, as
    /// `abandoned` and for the same amounts.
    ///
    /// # Errors
    /// [`Refusal::BooksUnavailable`]; then nothing was recorded.
    pub fn record(&self, debtor: &Principal, spent: Spent, now: Timestamp) -> Result<NanoUsd, Refusal> {
        let core = &self.core;
        if !core.can_keep_books() {
            return Err(Refusal::BooksUnavailable);
        }
        let Spent { request_id, attempt, provider, provider_key_id, model, model_served, price, usage } = spent;
        let config = debtor.config(&provider);
        let permit = Permit { principal: debtor.clone(), config, provider: provider.clone(), model: model.clone() };
        let plan = core.policies.plan(&permit);
        let ceiling = price.as_ref().map_or(NanoUsd::ZERO, |known| known.price.cost(&usage));
        let terms = Terms { bound: usage.counts, tier: usage.tier, ceiling, output_cap: None };
        let holds = {
            let mut locked = plan.lock();
            let levels = locked.levels(now);
            locked.note(&levels, &terms)
        };
        let attribution = Attribution {
            request_id,
            attempt,
            virtual_key_id: debtor.policy.id.clone(),
            team_id: plan.team_id.clone(),
            customer_id: plan.customer_id.clone(),
            // Answers that were summed up cannot be priced anew one by one.
            request_type: None,
            provider,
            provider_key_id,
            model,
            model_served,
        };
        let (hold, segment, alive_in) = (core.journal.next_hold(), 0, core.round());
        let open = Open { attribution, plan, holds, price, terms, admitted_at: now, hold, segment, alive_in };
        let Ok(segment) = core.journal.hold(hold, &open) else {
            open.release();
            return Err(Refusal::BooksUnavailable);
        };
        let settlement = Settlement {
            usage: Some(usage),
            is_counted: false,
            outcome: Outcome::Completed,
            first_byte_at: Some(now),
            at: now,
        };
        Ok(core.settle(Open { segment, ..open }, settlement))
    }
}
