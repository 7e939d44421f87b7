//! The model configs, routing rules and pricing overrides of a file.

use keyward_core::declaration::{Declaration, DeclaredModelConfig, FindKey};
use keyward_core::model_config::ModelConfig;

use super::super::config_hash::Subject;
use super::super::{Conn, model_config, pricing_override, routing_rule};
use super::{Application, Failed, located, unless_same};
use crate::error::{Noun, StoreError};

impl Application<'_> {
    pub(super) fn model_configs(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
        let Some(section) = &file.model_configs else { return Ok(()) };
        let stored = model_config::load_all(c)?;
        for declared in section {
            self.entity(c, &declared.at, |this, c| {
                let existing = stored.iter().find(|config| declared.is(config)).cloned();
                let Some(after) = this.model_config(c, declared, existing)? else { return Ok(()) };
                this.remember(c, Subject::ModelConfig(after.id.as_str()), &declared.definition())?;
                for row in declared.limits.rows(&after.limits()) {
                    this.remember(c, Subject::Limit(row.id.as_str()), &row.definition)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The model config after the file; none when it is as the file has it.
    fn model_config(
        &self,
        c: &mut Conn,
        declared: &DeclaredModelConfig,
        existing: Option<ModelConfig>,
    ) -> Result<Option<ModelConfig>, Failed> {
        let locate = |invalid| declared.locate(invalid);
        let Some(before) = existing else {
            let key = declared.virtual_key()?;
            let by = self.recorder("model_config_create");
            // What the file says is placed already, what the store says is not: the first is looked for before.
            let mut placed = None;
            let made = model_config::create(c, &by, key.as_ref(), |key| {
                let made = self.editing(self.tools.at, |edit| declared.made(key, edit));
                made.inspect_err(|invalid| placed = Some(invalid.clone()))
            });
            return match placed {
                Some(invalid) => Err(invalid.into()),
                None => located(made, locate).map(Some),
            };
        };
        let now = self.after(before.updated_at);
        match self.editing(now, |edit| declared.edited(&before, self.basis(), edit))? {
            None => Ok(None),
            Some(edited) => {
                let id = before.id.clone();
                let by = self.recorder("model_config_update");
                unless_same(c, before, |c| located(model_config::update(c, &by, &id, |_, _| Ok(edited)), locate))
                    .map(Some)
            }
        }
    }
}

macro_rules! simple {
    ($section:ident, $module:ident, $subject:ident, $create:literal, $update:literal) => {
        pub(super) fn $section(
            &mut self,
            c: &mut Conn,
            file: &Declaration,
            find: FindKey<'_>,
        ) -> Result<(), StoreError> {
            for declared in file.$section.iter().flatten() {
                self.entity(c, &declared.at, |this, c| {
                    let locate = |invalid| declared.locate(invalid);
                    let definition = declared.definition();
                    let resolved = declared.resolved(find);
                    let id = &declared.id;
                    match $module::get(c, id) {
                        Err(StoreError::NotFound(Noun::$subject)) => {
                            let made = this.editing(this.tools.at, |edit| resolved.edit(None, edit))?;
                            located($module::create(c, &this.recorder($create), &made), locate)?;
                        }
                        found => {
                            let before = found?;
                            if this.basis().differs(&definition, &before.config_hash) {
                                let now = this.after(before.updated_at);
                                let edited = this.editing(now, |edit| resolved.edit(Some(&before), edit))?;
                                let by = this.recorder($update);
                                unless_same(c, before, |c| {
                                    located($module::update(c, &by, id, |_, _| Ok(edited)), locate)
                                })?;
                            }
                        }
                    }
                    Ok(this.remember(c, Subject::$subject(id.as_str()), &definition)?)
                })?;
            }
            Ok(())
        }
    };
}

impl Application<'_> {
    simple!(routing_rules, routing_rule, RoutingRule, "routing_rule_create", "routing_rule_update");
    simple!(pricing_overrides, pricing_override, PricingOverride, "pricing_override_create", "pricing_override_update");
}
