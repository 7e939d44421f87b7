//! The customers and teams of a file.

use keyward_core::authority::Reach;
use keyward_core::declaration::Declaration;
use keyward_core::limits::ResetUsage;

use super::super::config_hash::Subject;
use super::super::{Conn, customer, team};
use super::{Application, located, unless_same};
use crate::error::{Noun, StoreError};

macro_rules! owners {
    ($section:ident, $module:ident, $subject:ident, $noun:ident, $create:literal, $update:literal) => {
        pub(super) fn $section(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
            for declared in file.$section.iter().flatten() {
                self.entity(c, &declared.at, |this, c| {
                    let id = &declared.id;
                    let locate = |invalid| declared.locate(invalid);
                    let existing = match $module::get(c, &Reach::Everything, id) {
                        Err(StoreError::NotFound(Noun::$noun)) => None,
                        found => Some(found?),
                    };
                    let now = existing.as_ref().map_or(this.tools.at, |before| this.after(before.updated_at));
                    let draft = this.editing(now, |edit| declared.edit(existing.as_ref(), this.basis(), edit))?;
                    let after = match (existing, draft) {
                        (_, None) => return Ok(()),
                        (None, Some(made)) => {
                            located($module::create(c, &this.recorder($create), &made), locate)?;
                            $module::get(c, &Reach::Everything, id)?
                        }
                        (Some(before), Some(edited)) => unless_same(c, before, |c| {
                            let by = this.recorder($update);
                            let edit = |_: &_, _| Ok((edited, ResetUsage::No));
                            located($module::update(c, &by, id, edit), locate)?;
                            Ok($module::get(c, &Reach::Everything, id)?)
                        })?,
                    };
                    this.remember(c, Subject::$subject(id.as_str()), &declared.definition())?;
                    for row in declared.limits.rows(&after.limits()) {
                        this.remember(c, Subject::Limit(row.id.as_str()), &row.definition)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        }
    };
}

impl Application<'_> {
    owners!(customers, customer, Customer, Customer, "customer_create", "customer_update");
    owners!(teams, team, Team, Team, "team_create", "team_update");
}
