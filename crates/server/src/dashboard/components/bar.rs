//! Bars: how much of a cap is used and held. What they show is said in words too.

use keyward_core::budget::{Budget, BudgetOverridden};
use maud::{Markup, html};

use super::badge::Tone;

/// From which share on a bar warns, in thousandths.
const NEARLY: i128 = 800;

/// What a meter reads: nano-dollars, tokens or requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) struct Level {
    pub(in crate::dashboard) used: i64,
    pub(in crate::dashboard) held: i64,
    pub(in crate::dashboard) cap: i64,
}

impl Level {
    /// A budget, under the cap that is in force.
    pub(in crate::dashboard) fn of_budget(budget: &Budget, held: i64) -> Self {
        let cap = BudgetOverridden::of(budget.clone()).effective_max_limit.nanos();
        Self { used: budget.current_usage.nanos(), held, cap }
    }

    pub(in crate::dashboard) const fn is_used_up(self) -> bool {
        self.used >= self.cap
    }

    /// How this is to be taken.
    pub(in crate::dashboard) fn tone(self) -> Tone {
        match self.share(self.used.saturating_add(self.held)) {
            _ if self.is_used_up() => Tone::Bad,
            NEARLY.. => Tone::Warn,
            _ => Tone::Calm,
        }
    }

    /// What is used of the cap, in whole percent.
    pub(in crate::dashboard) fn percent(self) -> i128 {
        self.share(self.used) / 10
    }

    /// An amount as a share of the cap, in thousandths.
    fn share(self, amount: i64) -> i128 {
        i128::from(amount.max(0)) * 1_000 / i128::from(self.cap.max(1))
    }
}

/// The bar of a level.
pub(in crate::dashboard) fn bar(level: Level) -> Markup {
    let used = level.share(level.used).min(1_000);
    let held = level.share(level.held).min(1_000 - used);
    html! {
        svg.bar.(level.tone().class()) viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
            rect.bar-track width="1000" height="10" {}
            rect.bar-used width=(used) height="10" {}
            @if held > 0 { rect.bar-held x=(used) width=(held) height="10" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_never_leaves_its_track() {
        let shown = |used, held, cap| bar(Level { used, held, cap }).into_string();
        let over = shown(30, 5, 10);
        assert!(over.contains(r#"class="bar bad""#) && over.contains(r#"bar-used" width="1000""#), "{over}");
        let held = shown(5, 9, 10);
        assert!(held.contains(r#"x="500" width="500""#) && held.contains("warn"), "{held}");
        assert!(shown(0, 0, 0).contains("bar bad"), "nothing is left of nothing");
    }
}
