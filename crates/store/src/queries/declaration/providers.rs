//! The providers of a file, and their keys. A secret that the file has and the database too is no change.

use keyward_core::declaration::{Declaration, DeclaredProvider};
use keyward_core::provider::{Provider, ProviderDraft};
use serde::Serialize;

use super::super::config_hash::Subject;
use super::super::upstream_key::{Secrets, secrets};
use super::super::{Conn, provider, provider_edit};
use super::{Application, Failed, located, unless_same};
use crate::error::{Noun, StoreError};

/// A provider with its secrets, so that another secret of the same redacted form is a change. It never leaves this file.
#[derive(Serialize)]
struct Opened {
    provider: Provider,
    secrets: Secrets,
}

impl Application<'_> {
    pub(super) fn providers(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
        for declared in file.providers.iter().flatten() {
            self.entity(c, &declared.at, |this, c| {
                let existing = match provider::get(c, &declared.name) {
                    Err(StoreError::NotFound(Noun::Provider)) => None,
                    found => Some(found?),
                };
                let mut mint = this.tools.mint;
                let draft = declared.edit(existing.as_ref(), this.basis(), &mut mint)?;
                let after = match (existing, draft) {
                    (_, None) => return Ok(()),
                    (before, Some(draft)) => this.provider(c, declared, before, draft)?,
                };
                this.remember(c, Subject::Provider(declared.name.as_str()), &declared.definition())?;
                for key in declared.keys.iter().flatten() {
                    if let Some(stored) = after.keys.iter().find(|stored| key.is(stored)) {
                        this.remember(c, Subject::ProviderKey(stored.id.as_str()), &key.definition())?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn provider(
        &self,
        c: &mut Conn,
        declared: &DeclaredProvider,
        before: Option<Provider>,
        draft: ProviderDraft,
    ) -> Result<Provider, Failed> {
        let locate = |invalid| declared.locate(invalid);
        let (name, sealer) = (&declared.name, self.tools.sealer);
        let Some(before) = before else {
            return located(provider_edit::create(c, &self.recorder("provider_create"), &draft, sealer), locate);
        };
        let by = self.recorder("provider_update");
        let before = Opened { secrets: secrets(c, name, sealer)?, provider: before };
        let after = unless_same(c, before, |c| {
            let provider = located(provider_edit::update(c, &by, name, sealer, |_| Ok(draft)), locate)?;
            Ok(Opened { secrets: secrets(c, name, sealer)?, provider })
        })?;
        Ok(after.provider)
    }
}
