//! Objects of which some members are governed: those are written once, and in one spelling.
//!
//! A provider that ignores case, or that takes the last of two, would otherwise read another request than the one that was
//! held for.

use serde::de::{Error as _, IgnoredAny, MapAccess};

/// Walks an object. `take` reads the value of a governed member; every other value is skipped.
pub(super) fn walk<'de, A: MapAccess<'de>>(
    mut members: A,
    governed: &[&str],
    mut take: impl FnMut(&str, &mut A) -> Result<(), A::Error>,
) -> Result<(), A::Error> {
    let mut seen: Vec<String> = Vec::new();
    while let Some(name) = members.next_key::<String>()? {
        // The one letter outside ASCII that folds to one of a governed name.
        let folded = name.to_lowercase().replace('ſ', "s");
        if !governed.contains(&folded.as_str()) {
            members.next_value::<IgnoredAny>()?;
            continue;
        }
        if name != folded {
            return Err(A::Error::custom(format_args!("'{name}' must be written '{folded}'")));
        }
        if seen.contains(&name) {
            return Err(A::Error::custom(format_args!("'{name}' is there twice")));
        }
        take(&name, &mut members)?;
        seen.push(name);
    }
    Ok(())
}
