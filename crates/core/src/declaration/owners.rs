//! The customers and teams of a file.

use super::limits::DeclaredLimits;
use super::{Basis, definition, set};
use crate::ids::{CustomerId, TeamId};
use crate::invalid::{Invalid, Pointer};
use crate::limits::{Edit, Limits};
use crate::owner::{CreateCustomer, CreateTeam, Customer, Team, UpdateCustomer, UpdateTeam};
use crate::patch::Patch;

macro_rules! declared_owner {
    ($(#[$doc:meta])* $declared:ident, $entity:ident, $id:ident, $create:ident, $update:ident { $($own:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $declared {
            /// Its id.
            pub id: $id,
            /// Where it stands in the file.
            pub at: Pointer,
            /// Everything but its limits.
            pub request: $create,
            /// Its limits.
            pub limits: DeclaredLimits,
        }

        impl $declared {
            /// The file's definition of it, without those of its limits.
            #[must_use]
            pub fn definition(&self) -> String {
                definition(&(stringify!($entity), &self.id, &self.request, self.limits.ids()))
            }

            /// What the file makes of `before`; none when it changes nothing.
            ///
            /// # Errors
            /// What cannot be carried out, and where in the file it stands.
            pub fn edit(
                &self,
                before: Option<&$entity>,
                basis: Basis<'_>,
                edit: &mut Edit<'_>,
            ) -> Result<Option<$entity>, Invalid> {
                let edited = match before {
                    None => self.made(edit).map(Some),
                    Some(before) => self.edited(before, basis, edit),
                };
                edited.map_err(|invalid| self.locate(invalid))
            }

            /// The same, said of the file instead of the request.
            #[must_use]
            pub fn locate(&self, invalid: Invalid) -> Invalid {
                match self.limits.place(&invalid.pointer, &Pointer::ROOT) {
                    Some(pointer) => Invalid { pointer, ..invalid },
                    None => invalid.under(&self.at),
                }
            }

            fn made(&self, edit: &mut Edit<'_>) -> Result<$entity, Invalid> {
                let (budgets, rate_limit) = self.limits.create();
                let made = $create { budgets, rate_limit, ..self.request.clone() }.build(edit)?;
                let mut limits = made.limits();
                self.limits.name(&mut limits, &Limits::default());
                Ok($entity { id: self.id.clone(), ..made }.with_limits(limits))
            }

            fn edited(
                &self,
                before: &$entity,
                basis: Basis<'_>,
                edit: &mut Edit<'_>,
            ) -> Result<Option<$entity>, Invalid> {
                let replaces = basis.differs(&self.definition(), &before.config_hash);
                let aligned = match replaces {
                    true => self.request.calendar_aligned.unwrap_or(false),
                    false => before.calendar_aligned,
                };
                let patches = self.limits.edit(&before.limits(), replaces, aligned, basis);
                if !replaces && !patches.change_something() {
                    return Ok(None);
                }
                let mut update =
                    $update { budgets: patches.budgets, rate_limit: patches.rate_limit, ..$update::default() };
                if replaces {
                    update.name = Patch::Value(self.request.name.clone());
                    update.calendar_aligned = Some(aligned);
                    $(update.$own = set(self.request.$own.clone());)*
                }
                let (edited, _) = before.edited(update, edit)?;
                let mut limits = edited.limits();
                self.limits.name(&mut limits, &before.limits());
                Ok(Some(edited.with_limits(limits)))
            }
        }
    };
}

declared_owner! {
    /// A customer of a file.
    DeclaredCustomer, Customer, CustomerId, CreateCustomer, UpdateCustomer {}
}

declared_owner! {
    /// A team of a file.
    DeclaredTeam, Team, TeamId, CreateTeam, UpdateTeam { customer_id, }
}
