//! Picking: which of a provider's keys serves a request. Keys that may and can serve the model and that nothing is known against
//! are ordered by chance and weight; those that were tried for this request come last.

use jiff::Timestamp;
use keyward_core::base_url::BaseUrl;
use keyward_core::ids::{ModelName, ProviderKeyId};
use keyward_core::operation::Operation;
use keyward_core::provider_config::KeyAccess;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::health::{Condition, Out};
use super::key_health::Trial;
use super::{Credential, Destination, Unserved, Upstream};
use crate::clouds::{self, Place};
use crate::credentials::Auth;
use crate::gateway::bedrock;

/// What stands for itself in a model's name in a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A number above 0 and at most 1 for a name: chance, or what stands for it.
pub(super) type Lot<'a> = &'a dyn Fn(&str) -> f64;

/// What is wanted of a provider.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The keys that may serve.
    pub(crate) access: &'a KeyAccess,
    /// The one that shall.
    pub(crate) pinned: Option<&'a ProviderKeyId>,
    pub(crate) model: &'a str,
    /// The operation, and whether its answer shall come in pieces.
    pub(crate) kind: (Operation, bool),
}

/// How one of several keys is chosen.
pub(crate) struct Choosing<'a> {
    pub(crate) lot: Lot<'a>,
    /// Keys that were tried for this request.
    pub(crate) tried: &'a [ProviderKeyId],
    pub(crate) now: Timestamp,
    /// True: nothing is sent, so that no attempt begins.
    pub(crate) is_rehearsal: bool,
}

/// What there is for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// A key that was not tried yet.
    Fresh,
    /// Only keys that were tried.
    Tried,
    /// No key until then.
    Out(Out),
    /// Nothing.
    Nothing,
}

impl Upstream {
    /// Picks a key by weight; the pinned one and no other, if there is one.
    pub(crate) fn pick(&self, wanted: &Wanted<'_>, choosing: &Choosing<'_>) -> Result<Destination, Unserved> {
        let ((operation, streamed), custom) = (wanted.kind, self.custom.as_ref());
        if custom.is_some_and(|custom| !custom.takes(operation.kind(streamed))) {
            return Err(Unserved::Kind);
        }
        if !self.is_callable() {
            return Err(if self.known.is_cloud() { Unserved::Key } else { Unserved::Provider });
        }
        if !self.known.offers(operation) {
            return Err(Unserved::Operation);
        }
        if self.needs_no_key(wanted) {
            let model = ModelName::from(wanted.model);
            let url = self.url(self.base_url.as_ref().ok_or(Unserved::Provider)?, wanted, &model)?;
            let trial = self.keyless.begin_for(&model, choosing)?;
            let named = model.to_string();
            let (auth, is_converse) = (Auth::Open, false);
            return Ok(Destination { key_id: "".into(), auth, url, model, named, is_converse, trial });
        }
        let mut out: Option<Out> = None;
        for key in in_order(self.usable(wanted).collect(), choosing) {
            let model = ModelName::from(key.target(wanted.model));
            match key.health.begin_for(&model, choosing) {
                Ok(trial) => return self.destination(key, wanted, model, trial),
                Err(why) => out = Some(out.map_or(why, |first| if why.until < first.until { why } else { first })),
            }
        }
        Err(out.map_or(Unserved::Key, Unserved::Out))
    }

    /// What another try would find.
    pub(crate) fn outlook(&self, wanted: &Wanted<'_>, tried: &[ProviderKeyId], now: Timestamp) -> Outlook {
        let keyless = self.needs_no_key(wanted).then(|| self.keyless.out(&wanted.model.into(), now));
        let keyed = self.usable(wanted).map(|key| {
            let is_tried = tried.contains(&key.id);
            (is_tried, key.health.out(&key.target(wanted.model).into(), now))
        });
        let all: Vec<(bool, Option<Out>)> = match keyless {
            Some(out) => vec![(true, out)],
            None => keyed.collect(),
        };
        if all.iter().any(|(is_tried, out)| out.is_none() && !is_tried) {
            return Outlook::Fresh;
        }
        if all.iter().any(|(_, out)| out.is_none()) {
            return Outlook::Tried;
        }
        all.into_iter().filter_map(|(_, out)| out).min_by_key(|out| out.until).map_or(Outlook::Nothing, Outlook::Out)
    }

    /// How one of its keys stands; none: it has no such key that could serve.
    pub(crate) fn condition(&self, id: &ProviderKeyId, now: Timestamp) -> Option<Condition> {
        let key = self.keys.iter().find(|key| key.id == *id && key.can_serve())?;
        Some(key.health.condition(now))
    }

    /// False while something is known against each of its keys.
    pub(crate) fn is_well(&self, model: &str, now: Timestamp) -> bool {
        let mut keys = self.keys.iter().filter(|key| key.serves(model)).peekable();
        keys.peek().is_none() || keys.any(|key| key.health.out(&key.target(model).into(), now).is_none())
    }

    fn needs_no_key(&self, wanted: &Wanted<'_>) -> bool {
        let is_key_less = self.custom.as_ref().is_some_and(|custom| custom.is_key_less);
        is_key_less && *wanted.access == KeyAccess::All && wanted.pinned.is_none()
    }

    /// The keys that may and can serve, whatever is known against them.
    fn usable<'k>(&'k self, wanted: &Wanted<'k>) -> impl Iterator<Item = &'k Credential> + use<'k> {
        let Wanted { access, pinned, model, kind: _ } = *wanted;
        self.keys.iter().filter(move |key| {
            let permitted = access.allows(&key.id);
            let meant = pinned.is_none_or(|pinned| key.id == *pinned);
            permitted && meant && key.serves(model) && key.can_serve()
        })
    }

    fn destination(
        &self,
        key: &Credential,
        wanted: &Wanted<'_>,
        model: ModelName,
        trial: Option<Trial>,
    ) -> Result<Destination, Unserved> {
        let Place { url, model: named } = self.place(key, wanted, &model)?;
        let (auth, is_converse) = (key.auth.clone().ok_or(Unserved::Key)?, self.known.speaks_converse());
        Ok(Destination { key_id: key.id.clone(), auth, url, model, named, is_converse, trial })
    }

    /// Where the operation is for the key.
    fn place(&self, key: &Credential, wanted: &Wanted<'_>, model: &ModelName) -> Result<Place, Unserved> {
        let ((operation, streamed), base_url) = (wanted.kind, key.base_url.as_ref().or(self.base_url.as_ref()));
        let place = match (self.known.name, operation.verb(streamed)) {
            ("azure", _) => {
                let base_url = base_url.ok_or(Unserved::Key)?;
                let path = operation.path();
                Ok(clouds::azure(&key.texts, base_url, path.strip_prefix("/v1").unwrap_or(path), model.as_str()))
            }
            ("vertex", None) => clouds::vertex_chat(&key.texts, base_url, model.as_str()),
            ("vertex", Some(verb)) => clouds::vertex_native(&key.texts, base_url, model.as_str(), verb),
            ("bedrock", _) => {
                clouds::bedrock(&key.texts, base_url, model.as_str(), |model, arn| bedrock::path(model, arn, streamed))
            }
            _ => {
                let url = self.url(base_url.ok_or(Unserved::Key)?, wanted, model)?;
                Ok(Place { url, model: model.to_string() })
            }
        };
        place.map_err(|error| {
            tracing::warn!(key = %key.id, %error, "a provider key does not say where its provider is");
            Unserved::Key
        })
    }

    /// Where the operation is, for the model as the provider calls it.
    fn url(&self, base_url: &BaseUrl, wanted: &Wanted<'_>, model: &ModelName) -> Result<String, Unserved> {
        let (operation, streamed) = wanted.kind;
        let model = utf8_percent_encode(model.as_str(), IN_PATH).to_string();
        let path = self.known.path(operation, &model, streamed).ok_or(Unserved::Operation)?;
        Ok(base_url.join(&path))
    }
}

/// Untried keys before tried ones, and each in the order of the lots.
fn in_order<'k>(keys: Vec<&'k Credential>, choosing: &Choosing<'_>) -> Vec<&'k Credential> {
    let mut ordered = by_lot(keys, |key| (key.id.as_str(), key.weight), choosing.lot);
    ordered.sort_by_key(|key| choosing.tried.contains(&key.id));
    ordered
}

/// In an order of chance in which each comes first as often as its share of all weights is, and so on among those that are left.
/// What has no weight comes after all that have, in its own order. When a lot is always the same for a name, removing one moves
/// nobody else.
pub(crate) fn by_lot<T>(all: Vec<T>, named: impl Fn(&T) -> (&str, f64), lot: Lot<'_>) -> Vec<T> {
    // The waiting times of independent events, each as frequent as its weight.
    let waited = |one: &T| {
        let (name, weight) = named(one);
        if weight > 0.0 { -lot(name).ln() / weight } else { f64::INFINITY }
    };
    if all.len() < 2 {
        return all;
    }
    let mut waiting: Vec<(f64, T)> = all.into_iter().map(|one| (waited(&one), one)).collect();
    waiting.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    waiting.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests;
