//! Sums are exact, percentiles within their bound, periods where the calendar says, and forecasts what the pace makes of them.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::authority::Reach;
use crate::budget::Budget;
use crate::ledger::Outcome;
use crate::money::NanoUsd;
use crate::price::{ServiceTier, TokenUsage};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn attempted(cost: i64, millis: i64) -> Attempted {
    let admitted_at = at("2026-11-23T12:00:00Z");
    let after = |millis: i64| Timestamp::from_millisecond(admitted_at.as_millisecond() + millis).unwrap();
    Attempted {
        counts: TokenUsage { input: 3, reasoning: 2_000, ..TokenUsage::default() },
        cost: NanoUsd::from_nanos(cost),
        tier: ServiceTier::Standard,
        outcome: Outcome::Completed,
        admitted_at,
        first_byte_at: Some(after(millis / 2)),
        settled_at: after(millis),
    }
}

fn tally(attempts: &[(i64, i64)]) -> Tally {
    let mut tally = Tally::default();
    attempts.iter().for_each(|(cost, millis)| tally.record(&attempted(*cost, *millis)));
    tally
}

#[test]
fn a_percentile_is_within_a_sixteenth_of_the_true_one() {
    for millis in (0..200).chain([999, 1_000, 59_999, 3_600_000, 4_000_000_000]) {
        let mut histogram = Histogram::default();
        histogram.record(Duration::from_millis(millis));
        let read = histogram.quantile(500).unwrap();
        assert!(read.abs_diff(millis) * 16 <= millis, "{millis} reads {read}");
    }
    let mut histogram = Histogram::default();
    (1..=1_000).for_each(|millis| histogram.record(Duration::from_millis(millis)));
    for (per_mille, expected) in [(500, 500_u64), (900, 900), (950, 950), (990, 990), (1_000, 1_000)] {
        let read = histogram.quantile(per_mille).unwrap();
        assert!(read.abs_diff(expected) * 16 <= expected, "{expected} reads {read}");
    }
    assert_eq!(Histogram::default().quantile(500), None);
}

#[test]
fn what_is_not_timed_is_counted_all_the_same() {
    let usual = attempted(5, 100);
    let mut tally = Tally::default();
    tally.record(&Attempted { tier: ServiceTier::Batch, ..usual });
    tally.record(&Attempted { outcome: Outcome::Abandoned, ..usual });
    assert_eq!((tally.requests, tally.cost.nanos(), tally.latency.count(), tally.first_byte.count()), (2, 10, 0, 0));
    // A clock that was set back.
    tally.record(&Attempted { settled_at: at("2026-11-23T11:00:00Z"), ..usual });
    assert_eq!((tally.requests, tally.latency.count(), tally.first_byte.count()), (3, 0, 1));
}

proptest! {
    #[test]
    fn tallies_add_up_and_come_back_from_their_bytes(
        one in prop::collection::vec((0..1_000_000_i64, 0..5_000_000_i64), 0..40),
        other in prop::collection::vec((0..1_000_000_i64, 0..5_000_000_i64), 0..40),
    ) {
        let both = tally(&one.iter().chain(&other).copied().collect::<Vec<_>>());
        let mut sum = tally(&one);
        sum.add(&tally(&other));
        prop_assert_eq!(&sum, &both);
        let Tally { requests, refusals, cost, .. } = both.clone();
        let bare = Tally { requests, refusals, cost, ..Tally::default() };
        prop_assert_eq!(bare.clone().with_detail(&both.detail()), Some(both.clone()));
        prop_assert_eq!(bare.with_detail(&[&both.detail()[..], &[0]].concat()), None);
        sum.subtract(&tally(&one));
        prop_assert_eq!(&sum, &tally(&other));
        sum.subtract(&tally(&other));
        prop_assert!(sum.is_empty());
    }
}

#[test]
fn periods_begin_where_the_calendar_says() {
    let starts = |every: Interval, zone: &str, from: &str, to: &str| -> Vec<String> {
        let (from, to) = (Hour::of(at(from)), Hour::from(at(to)));
        let starts = every.starts(from, to, &TimeZone::get(zone).unwrap(), 100).unwrap();
        starts.into_iter().map(|hour| hour.begins().to_string()).collect()
    };
    // Summer time ends on the 25th.
    assert_eq!(
        starts(Interval::Day, "Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-26T23:00:00Z"),
        ["2026-10-24T20:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    );
    // Midnight is at half past.
    assert_eq!(
        starts(Interval::Day, "Asia/Kolkata", "2026-10-24T10:00:00Z", "2026-10-25T18:00:00Z"),
        ["2026-10-24T10:00:00Z", "2026-10-24T18:00:00Z"],
    );
    assert_eq!(
        starts(Interval::Week, "UTC", "2026-11-25T05:00:00Z", "2026-12-08T00:00:00Z"),
        ["2026-11-25T05:00:00Z", "2026-11-30T00:00:00Z", "2026-12-07T00:00:00Z"],
    );
    assert_eq!(
        starts(Interval::Month, "UTC", "2026-11-25T05:00:00Z", "2027-01-01T01:00:00Z"),
        ["2026-11-25T05:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    );
    let (from, to) = (Hour::from_number(0), Hour::from_number(101));
    assert_eq!(Interval::Hour.starts(from, to, &TimeZone::UTC, 100), None);
    assert_eq!(Interval::Hour.starts(from, to, &TimeZone::UTC, 101).unwrap().len(), 101);
}

#[test]
fn hours_of_days() {
    let hour = Hour::of(at("1969-12-31T23:30:00Z"));
    assert_eq!((hour.number(), hour.day().number(), hour.next_day().number()), (-1, -24, 0));
    assert_eq!(Hour::from(at("1970-01-01T00:00:00.000001Z")).number(), 1);
    assert_eq!(Hour::from_number(24).next_day(), Hour::from_number(24));
}

fn request(query: UsageReportQuery) -> UsageRequest {
    query.check(at("2026-11-23T12:30:00Z")).unwrap()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn what_is_not_asked_for_is_the_last_day_as_a_whole() {
    let request = request(UsageReportQuery::default());
    assert_eq!((request.from.begins(), request.to.begins()), (at("2026-11-22T13:00:00Z"), at("2026-11-23T13:00:00Z")));
    assert!(request.starts.is_empty() && request.group_by.is_empty());
    for (query, parameter) in [
        (UsageReportQuery { from: text("yesterday"), ..UsageReportQuery::default() }, "/from"),
        (UsageReportQuery { from: text("2027-01-01T00:00:00Z"), ..UsageReportQuery::default() }, "/to"),
        (UsageReportQuery { interval: text("minute"), ..UsageReportQuery::default() }, "/interval"),
        (UsageReportQuery { timezone: text("Mars"), ..UsageReportQuery::default() }, "/timezone"),
        (UsageReportQuery { group_by: text("team,colour"), ..UsageReportQuery::default() }, "/group_by"),
        (UsageReportQuery { order_by: text("name"), ..UsageReportQuery::default() }, "/order_by"),
        (UsageReportQuery { limit: text("few"), ..UsageReportQuery::default() }, "/limit"),
    ] {
        let refused = query.check(at("2026-11-23T12:30:00Z")).unwrap_err();
        assert_eq!(refused.pointer.to_string(), parameter, "{refused}");
    }
    let years = UsageReportQuery { from: text("2020-01-01T00:00:00Z"), interval: text("hour"), ..Default::default() };
    assert_eq!(years.check(at("2026-11-23T12:30:00Z")).unwrap_err().pointer.to_string(), "/interval");
}

#[test]
fn the_first_groups_are_shown_and_the_others_added_up() {
    let query = UsageReportQuery {
        group_by: text("model, provider"),
        limit: text("2"),
        interval: text("hour"),
        from: text("2026-11-23T10:00:00Z"),
        ..UsageReportQuery::default()
    };
    let request = request(query);
    let mut report = ReportBuilder::new(&request);
    for (model, cost, hour) in [("a", 1, 10), ("b", 5, 10), ("", 3, 11), ("b", 2, 12), ("c", 2, 12)] {
        let series = Series { model: model.to_owned(), provider: "p".to_owned(), ..Series::default() };
        let group = report.group(&series);
        let hour = Hour::of(at("2026-11-23T00:00:00Z")).after(hour);
        report.add(group, hour, &tally(&[(cost, 100)]));
    }
    let report = report.finish();
    let costs = |points: &[UsagePoint]| points.iter().map(|point| point.usage.cost.nanos()).collect::<Vec<_>>();
    assert_eq!((report.total.cost.nanos(), report.total.requests, costs(&report.points)), (13, 5, vec![6, 3, 4]));
    let groups: Vec<_> =
        report.groups.iter().map(|group| (group.by[0].value.as_deref(), costs(&group.points))).collect();
    assert_eq!(groups, [(Some("b"), vec![5, 0, 2]), (None, vec![0, 3, 0])]);
    let other = report.other.unwrap();
    assert_eq!((other.groups, other.usage.cost.nanos(), costs(&other.points)), (2, 3, vec![1, 0, 2]));
}

#[test]
fn what_is_out_of_reach_cannot_be_asked_for() {
    let team = |id: &str| Filters { team: text(id), ..Filters::default() };
    let reach = Reach::Team("t".into());
    assert_eq!(Filters::default().within(&reach), Some(team("t")));
    assert_eq!(team("t").within(&reach), Some(team("t")));
    assert_eq!(team("u").within(&reach), None);
    assert_eq!(team("").within(&reach), None);
    assert_eq!(team("u").within(&Reach::Everything), Some(team("u")));
    let both = Filters { customer: text("c"), ..team("t") };
    assert_eq!(team("t").within(&Reach::Customer("c".into())), Some(both));
}

#[test]
fn a_budget_is_used_up_when_its_pace_says() {
    let now = at("2026-11-23T12:00:00Z");
    let since = at("2026-11-22T12:00:00Z");
    let dollars = |dollars: i64| NanoUsd::from_nanos(dollars * 1_000_000_000);
    let budget = |used: i64, resets: &str| Budget {
        current_usage: dollars(used),
        resets_at: Some(at(resets)),
        ..Budget::new("b".into(), dollars(100), "1M".parse().unwrap(), at("2026-11-01T00:00:00Z"))
    };
    let forecast = |budget: &Budget, spent: i64| {
        let forecast = BudgetForecast::new(budget, BudgetScope::default(), dollars(spent), since, now);
        (forecast.exhausts_at, forecast.usage_at_reset, forecast.per_day)
    };
    let far = budget(40, "2026-12-01T12:00:00Z");
    assert_eq!(forecast(&far, 10), (Some(at("2026-11-29T12:00:00Z")), Some(dollars(120)), dollars(10)));
    assert_eq!(forecast(&far, 0), (None, Some(dollars(40)), dollars(0)));
    let near = budget(40, "2026-11-29T12:00:00Z");
    assert_eq!(forecast(&near, 10), (None, Some(dollars(100)), dollars(10)), "it begins again just then");
    assert_eq!(forecast(&budget(100, "2026-11-29T12:00:00Z"), 0).0, Some(now));
    let prepaid = Budget { resets_at: None, ..far.clone() };
    assert_eq!(forecast(&prepaid, 60), (Some(at("2026-11-24T12:00:00Z")), None, dollars(60)));
    let made = at("2026-11-23T06:00:00Z");
    let new = Budget { created_at: made, last_reset: made, ..budget(10, "2026-12-01T12:00:00Z") };
    assert_eq!(forecast(&new, 99).2, dollars(40), "what was spent before it was made is none of it");
    let aligned = Budget { last_reset: at("2026-11-23T00:00:00Z"), ..new };
    assert_eq!(forecast(&aligned, 99).2, dollars(40), "its window has begun before it");

    let make = |id: &str, used: i64, spent: i64| {
        let budget = Budget { id: id.into(), ..budget(used, "2026-12-01T12:00:00Z") };
        BudgetForecast::new(&budget, BudgetScope::default(), dollars(spent), since, now)
    };
    let all = vec![make("idle", 10, 0), make("soon", 90, 10), make("half", 50, 0), make("sooner", 90, 20)];
    let list = ForecastList::new(all, 3, since, now);
    let order: Vec<_> = list.forecasts.iter().map(|forecast| forecast.budget_id.as_str()).collect();
    assert_eq!((order, list.count, list.total_count), (vec!["sooner", "soon", "half"], 3, 4));
}
