//! What a nightly job may do: with a management key that can change virtual keys and nothing else, it gives every virtual key of a
//! project that has no budget one, and changes none that somebody else changed meanwhile.
//!
//! Start a server with `keyward demo`, then: `cargo run -p keyward-client --example admin_automation`
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example prints, and reads its own environment"
)]

use std::error::Error;

use keyward_client::{
    Access, AuditQuery, BudgetInput, Client, CreateManagementKey, CreateTeam, CreateVirtualKey, Patch, Permission,
    Resource, TryStreamExt, UpdateVirtualKey, Versioned, VirtualKeyQuery,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let admin = Client::builder().base_url(&url).build()?;
    // Names are unique; the example may run more than once.
    let project = format!("project {}", std::process::id());
    for number in 1..=3 {
        let request = CreateVirtualKey { name: format!("{project} key {number}"), ..CreateVirtualKey::default() };
        admin.virtual_key_create(&request).await?;
    }

    let request = CreateManagementKey {
        name: format!("nightly job of {project}"),
        permissions: vec![Permission::new(Resource::VirtualKeys, Access::Write)],
        ..CreateManagementKey::default()
    };
    let issued = admin.management_key_create(&request).await?;
    let token = issued.value.ok_or("the management key has no secret")?;
    let job = Client::builder().base_url(&url).management_token(token.expose()).build()?;

    println!("{} keys have got a budget", give_budgets(&job, &project).await?);
    if let Err(error) = job.team_create(&CreateTeam { name: project, ..CreateTeam::default() }).await {
        println!("a team is beyond this key: {}", error.code().unwrap_or("an unknown reason"));
    }

    // Who did what is in the audit log.
    let query = AuditQuery { actor: Some(request.name), ..AuditQuery::default() };
    let mut changes = admin.audit_list_all(&query);
    while let Some(change) = changes.try_next().await? {
        println!("{}: {} of {} {}", change.sequence, change.action, change.resource, change.resource_id);
    }
    admin.management_key_delete(&issued.management_key.id).await?;
    Ok(())
}

/// Goes through all virtual keys of a project, page by page.
async fn give_budgets(job: &Client, project: &str) -> Result<usize, Box<dyn Error>> {
    let query = VirtualKeyQuery { search: Some(project.to_owned()), ..VirtualKeyQuery::default() };
    let budget = BudgetInput::new("1.50".parse()?, "1M".parse()?);
    let request = UpdateVirtualKey { budget: Patch::Value(budget), ..UpdateVirtualKey::default() };
    let mut keys = job.virtual_key_list_all(&query);
    let mut changed = 0;
    while let Some(key) = keys.try_next().await? {
        if !key.budgets.is_empty() {
            continue;
        }
        match job.if_match(key.version())?.virtual_key_update(&key.id, &request).await {
            Ok(_) => changed += 1,
            Err(error) if error.code() == Some("precondition_failed") => println!("{} was changed meanwhile", key.name),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(changed)
}
