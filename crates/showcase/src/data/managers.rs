//! Management keys: for programs that manage, and for people who may not do everything.

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;

use super::hostile;
use super::maker::Maker;
use super::organisation::Organisation;

pub(super) async fn make(maker: &mut Maker<'_>, organisation: &Organisation) -> Result<()> {
    let team = organisation.teams.first().map(|team| &team.id);
    let customer = organisation.customers.first().map(|customer| &customer.id);
    let soon = maker.ago(SignedDuration::from_hours(-24 * 30))?.to_string();
    for request in [
        json!({ "name": "Provisioning", "description": "Makes keys from the ticket system",
            "permissions": [{ "resource": "virtual_keys", "access": "write" }, { "resource": "teams", "access": "write" }] }),
        json!({ "name": "Finance", "permissions": [{ "resource": "usage", "access": "read" }], "expires_at": soon }),
        json!({ "name": "Support leads", "team_id": team,
            "permissions": [{ "resource": "virtual_keys", "access": "read" }, { "resource": "usage", "access": "read" }] }),
        json!({ "name": "Northwind's own", "customer_id": customer, "is_active": false,
            "permissions": [{ "resource": "virtual_keys", "access": "write" }] }),
        json!({ "name": hostile::IMAGE, "description": hostile::SCRIPT,
            "permissions": [{ "resource": "metrics", "access": "read" }] }),
    ] {
        maker.management_key(request).await?;
    }
    Ok(())
}
