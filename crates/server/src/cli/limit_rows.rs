//! Limits as tables show them: what is capped, what is used of it, and when that begins again.

use jiff::Timestamp;
use keyward_client::{Budget, Customer, RateLimit, ResetDuration, Team, VirtualKey};
use keyward_core::meter::{MeterId, Metric};
use keyward_core::window::WindowPolicy;

use super::output::{instant, money, plain};

/// The head over the cells of a limit.
pub(super) const HEAD: [&str; 6] = ["COUNTS", "USED", "LIMIT", "OF IT", "WINDOW", "RESETS (UTC)"];

/// One cap, in cells.
pub(super) type Row = [String; 6];

/// A row for each cap.
pub(super) fn rows(budgets: &[Budget], rate_limit: Option<&RateLimit>) -> Vec<Row> {
    budgets.iter().map(of_budget).chain(rate_limit.into_iter().flat_map(of_rate_limit)).collect()
}

/// The rows of a virtual key, of what it may do at single providers, and of single models there, each with what it is about.
pub(super) fn of_key(key: &VirtualKey) -> Vec<(String, Row)> {
    let name = format!("key {}", plain(&key.name));
    let mut all = about(&name, rows(&key.budgets, key.rate_limit.as_ref()));
    for config in &key.provider_configs {
        let name = format!("{name} at {}", config.provider);
        all.extend(about(&name, rows(&config.budgets, config.rate_limit.as_ref())));
        for model in &config.model_budgets {
            let name = format!("{name}/{}", plain(model.model.as_str()));
            all.extend(about(&name, rows(&model.budgets, model.rate_limit.as_ref())));
        }
    }
    all
}

pub(super) fn of_team(team: &Team) -> Vec<(String, Row)> {
    about(&format!("team {}", plain(&team.name)), rows(&team.budgets, team.rate_limit.as_ref()))
}

pub(super) fn of_customer(customer: &Customer) -> Vec<(String, Row)> {
    about(&format!("customer {}", plain(&customer.name)), rows(&customer.budgets, customer.rate_limit.as_ref()))
}

/// The same rows with what they are about.
pub(super) fn about(name: &str, rows: Vec<Row>) -> Vec<(String, Row)> {
    rows.into_iter().map(|row| (name.to_owned(), row)).collect()
}

fn of_budget(budget: &Budget) -> Row {
    let raised = budget.override_amount.and_then(|amount| budget.max_limit.checked_add(amount));
    let cap = raised.unwrap_or(budget.max_limit);
    [
        "money".to_owned(),
        money(budget.current_usage),
        money(cap),
        share(budget.current_usage.nanos(), cap.nanos()),
        window(&budget.reset_duration, budget.calendar_aligned),
        resets(budget.resets_at),
    ]
}

fn of_rate_limit(limit: &RateLimit) -> Vec<Row> {
    let row = |(id, cap, windows): (MeterId, i64, WindowPolicy)| {
        let (what, used, began, duration) = match id.metric {
            Metric::Requests | Metric::ParallelRequests => {
                ("requests", limit.request_current_usage, limit.request_last_reset, &limit.request_reset_duration)
            }
            Metric::Tokens | Metric::Cost => {
                ("tokens", limit.token_current_usage, limit.token_last_reset, &limit.token_reset_duration)
            }
        };
        let ends = windows.end(windows.window_at(limit.created_at, began));
        let window = duration.as_ref().map(|duration| window(duration, limit.calendar_aligned)).unwrap_or_default();
        [what.to_owned(), used.to_string(), cap.to_string(), share(used, cap), window, resets(ends)]
    };
    limit.caps().map(row).collect()
}

/// How much of a cap is used, in whole percent, rounded down.
fn share(used: i64, cap: i64) -> String {
    let percent = i128::from(used) * 100;
    percent.checked_div(cap.into()).map(|percent| format!("{percent}%")).unwrap_or_default()
}

fn window(duration: &ResetDuration, aligned: bool) -> String {
    match aligned && duration.calendar().is_some() {
        true => format!("{duration} by calendar"),
        false => duration.to_string(),
    }
}

fn resets(at: Option<Timestamp>) -> String {
    at.map_or("never".to_owned(), instant)
}

/// Money that is used of each budget, and its cap: a line each, for lists with one row for each owner.
pub(super) fn spent(budgets: &[Budget]) -> [String; 3] {
    let rows: Vec<Row> = budgets.iter().map(of_budget).collect();
    let lines = |pick: fn(&Row) -> &str| rows.iter().map(pick).collect::<Vec<_>>().join("\n");
    match rows.is_empty() {
        true => [String::new(), "no budget".to_owned(), String::new()],
        false => [lines(|[_, used, ..]| used), lines(|[_, _, cap, ..]| cap), lines(|[.., window, _]| window)],
    }
}

#[cfg(test)]
mod tests {
    use keyward_client::NanoUsd;

    use super::*;

    #[test]
    fn a_row_has_the_cap_in_force_and_the_share_of_it() {
        let dollars = |text: &str| text.parse::<NanoUsd>().unwrap();
        let budget = Budget {
            current_usage: dollars("7.5"),
            override_amount: Some(dollars("5")),
            ..Budget::new("b".into(), dollars("10"), "1M".parse().unwrap(), Timestamp::UNIX_EPOCH)
        };
        assert_eq!(of_budget(&budget), ["money", "$7.50", "$15.00", "50%", "1M", "never"]);
        let aligned = Budget { calendar_aligned: true, override_amount: None, ..budget };
        assert_eq!(
            spent(&[aligned.clone(), aligned]),
            ["$7.50\n$7.50", "$10.00\n$10.00", "1M by calendar\n1M by calendar"]
        );
    }
}
