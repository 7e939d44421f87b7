//! Commands that talk to a running server, by the management API.

use clap::Subcommand;

use super::customers::Customers;
use super::explain::Explain;
use super::failure::Failure;
use super::keys::Keys;
use super::providers::Providers;
use super::teams::Teams;
use super::usage::Usage;

#[derive(Debug, Subcommand)]
pub(super) enum Remote {
    /// Virtual keys of a running server: makes, lists, shows, rotates and revokes them
    Keys(Keys),
    /// Teams of a running server
    Teams(Teams),
    /// Customers of a running server
    Customers(Customers),
    /// Providers of a running server
    Providers(Providers),
    /// What is used of the limits of virtual keys, teams and customers, and when they reset
    Usage(Usage),
    /// What would become of a request if it were sent now: where it would go, what it would hold, or why it would be refused
    Explain(Explain),
}

impl Remote {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Keys(keys) => keys.run().await,
            Self::Teams(teams) => teams.run().await,
            Self::Customers(customers) => customers.run().await,
            Self::Providers(providers) => providers.run().await,
            Self::Usage(usage) => usage.run().await,
            Self::Explain(explain) => explain.run().await,
        }
    }
}
