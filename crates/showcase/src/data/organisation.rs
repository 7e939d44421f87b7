//! Customers and teams.

use anyhow::Result;
use keyward_core::owner::{Customer, Team};
use serde_json::json;

use super::hostile;
use super::maker::Maker;

/// Who owns virtual keys.
pub(super) struct Organisation {
    pub(super) customers: Vec<Customer>,
    pub(super) teams: Vec<Team>,
}

/// Each team, with the place of its customer among all and its cap for a month, in US dollars.
const TEAMS: [(&str, Option<usize>, Option<i64>); 12] = [
    ("Support", Some(0), Some(600)),
    ("Search", Some(0), Some(250)),
    ("Risk", Some(0), None),
    ("Documents", Some(1), Some(90)),
    ("Assistants", Some(1), Some(400)),
    ("Robotics", Some(2), Some(40)),
    ("Data platform", None, Some(900)),
    ("Marketing", None, Some(15)),
    ("Research", None, None),
    ("Mobile", Some(3), Some(120)),
    (hostile::SCRIPT, Some(4), Some(75)),
    (hostile::TURNED, None, None),
];

pub(super) async fn make(maker: &mut Maker<'_>) -> Result<Organisation> {
    let mut customers = Vec::new();
    for (name, cap) in [
        ("Northwind Bank", 1_500),
        ("Contoso Health", 700),
        ("Fabrikam Robotics", 60),
        ("Tailspin Travel", 300),
        (hostile::IMAGE, 200),
    ] {
        let budget = json!({ "max_limit": cap, "reset_duration": "1M", "timezone": "Europe/Berlin" });
        customers.push(maker.customer(json!({ "name": name, "budget": budget })).await?);
    }
    let mut teams = Vec::new();
    for (name, customer, cap) in TEAMS {
        let customer = customer.and_then(|place| customers.get(place)).map(|customer| &customer.id);
        let budgets: Vec<_> = cap.into_iter().map(|cap| json!({ "max_limit": cap, "reset_duration": "1M" })).collect();
        let request = json!({ "name": name, "customer_id": customer, "budgets": budgets,
            "rate_limit": { "request_max_limit": 3_000, "request_reset_duration": "1h" } });
        teams.push(maker.team(request).await?);
    }
    Ok(Organisation { customers, teams })
}
