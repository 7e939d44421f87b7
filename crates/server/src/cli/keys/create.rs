//! `keyward keys create`: what the new virtual key may do, from the words of a command line.

use std::num::NonZeroU32;
use std::str::FromStr;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use keyward_client::{AllowList, CreateVirtualKey, Customer, InvalidAllowList, Metadata, ProviderConfigInput};
use keyward_client::{ResetDuration, Team};

use super::super::connection::Server;
use super::super::failure::{Exit, Failure};
use super::super::finding::find;
use super::super::limit_args::{LimitArgs, Limits};
use super::super::output;
use super::shown;
use crate::clock;

#[derive(Debug, Args)]
pub(super) struct Create {
    /// A name that no other virtual key has
    name: String,
    /// What the key is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// The team that it belongs to, by its name or id
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,
    /// The customer that it belongs to, by its name or id
    #[arg(long, value_name = "CUSTOMER", conflicts_with = "team")]
    customer: Option<String>,
    /// A provider, or a provider/model, that it may use; several may be given [default: every provider and model]
    #[arg(long, value_name = "PROVIDER[/MODEL]")]
    allow: Vec<String>,
    /// Until when it works: an instant, a day in UTC, or a time from now such as 30d [default: for ever]
    #[arg(long, value_name = "WHEN")]
    expires: Option<Expiry>,
    /// How many of its requests may run at the same time [default: any number]
    #[arg(long, value_name = "COUNT")]
    max_parallel: Option<NonZeroU32>,
    /// A label of your own; several may be given
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Create {
    pub(super) async fn run(self, server: &Server) -> Result<(), Failure> {
        let request = self.request(server).await?;
        let made = server.call(server.client.virtual_key_create(&request)).await?;
        if server.json {
            return output::json(&made);
        }
        output::print(&shown::with_secret(&made.virtual_key, clock::now()))?;
        output::note("\nThe secret is not shown again: keep it now.");
        Ok(())
    }

    async fn request(self, server: &Server) -> Result<CreateVirtualKey, Failure> {
        let Self { name, description, team, customer, allow, expires, max_parallel, label, limits } = self;
        let Limits { budgets, rate_limit, calendar_aligned } = limits.limits();
        let team_id = match team {
            Some(team) => Some(find::<Team>(server, &team).await?.id),
            None => None,
        };
        let customer_id = match customer {
            Some(customer) => Some(find::<Customer>(server, &customer).await?.id),
            None => None,
        };
        Ok(CreateVirtualKey {
            name,
            description,
            team_id,
            customer_id,
            provider_configs: provider_configs(&allow)?,
            budgets,
            rate_limit,
            calendar_aligned,
            max_parallel_requests: max_parallel,
            expires_at: expires.map(|expiry| expiry.from(clock::now())).transpose()?,
            metadata: label.into_iter().collect::<Metadata>(),
            ..CreateVirtualKey::default()
        })
    }
}

/// What the key may use; none: everything. A provider without a model is every model of it.
fn provider_configs(allow: &[String]) -> Result<Option<Vec<ProviderConfigInput>>, Failure> {
    let mut allowed: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in allow {
        let (provider, model) = entry.split_once('/').unwrap_or((entry, "*"));
        match allowed.iter_mut().find(|(known, _)| *known == provider) {
            Some((_, models)) => models.push(model),
            None => allowed.push((provider, vec![model])),
        }
    }
    let configs = allowed.into_iter().map(|(provider, models)| {
        let models = if models.contains(&"*") { vec!["*"] } else { models };
        let list = AllowList::try_from(models.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let refuse = |error: InvalidAllowList| Failure::new(Exit::Refused, format!("--allow {provider}/…: {error}"));
        Ok(ProviderConfigInput {
            provider: Some(provider.into()),
            allowed_models: Some(list.map_err(refuse)?),
            ..ProviderConfigInput::default()
        })
    });
    let configs = configs.collect::<Result<Vec<_>, Failure>>()?;
    Ok(Some(configs).filter(|configs| !configs.is_empty()))
}

fn label(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("a label is KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// When a key expires.
#[derive(Debug, Clone, PartialEq)]
enum Expiry {
    At(Timestamp),
    In(SignedDuration),
}

impl FromStr for Expiry {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        if let Ok(midnight) = text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)) {
            return Ok(Self::At(midnight.timestamp()));
        }
        match text.parse::<ResetDuration>() {
            Ok(duration) if !duration.is_never() => Ok(Self::In(duration.length())),
            Ok(_) | Err(_) => Err("it is no instant such as 2026-12-31T18:00:00Z, no day, and no time such as 30d"),
        }
    }
}

impl Expiry {
    fn from(self, now: Timestamp) -> Result<String, Failure> {
        let at = match self {
            Self::At(at) => Ok(at),
            Self::In(duration) => now.checked_add(duration),
        };
        at.map(|at| at.to_string()).map_err(|error| Failure::new(Exit::Refused, format!("--expires: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_an_instant_a_day_or_a_time_from_now() {
        let now: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let read = |text: &str| text.parse::<Expiry>().map(|expiry| expiry.from(now).unwrap());
        assert_eq!(read("2026-12-31T18:00:00+01:00").unwrap(), "2026-12-31T17:00:00Z");
        assert_eq!(read("2026-12-31").unwrap(), "2026-12-31T00:00:00Z");
        assert_eq!(read("30d").unwrap(), "2026-12-26T08:00:00Z");
        for text in ["never", "tomorrow", "2026-13-01", ""] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn models_are_gathered_by_their_provider_and_a_bare_provider_is_all_of_them() {
        let configs = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
            let configs = provider_configs(&entries).unwrap();
            configs.map(|configs| {
                let pair = |config: ProviderConfigInput| {
                    (config.provider.unwrap().to_string(), config.allowed_models.unwrap().entries().join(" "))
                };
                configs.into_iter().map(pair).collect::<Vec<_>>()
            })
        };
        let pair = |provider: &str, models: &str| (provider.to_owned(), models.to_owned());
        assert_eq!(configs(&[]), None);
        let three = configs(&["openai/gpt-4o", "openrouter/meta/llama", "openai/gpt-4o-mini"]).unwrap();
        assert_eq!(three, [pair("openai", "gpt-4o gpt-4o-mini"), pair("openrouter", "meta/llama")]);
        assert_eq!(configs(&["openai/gpt-4o", "openai"]).unwrap(), [pair("openai", "*")]);
    }
}
