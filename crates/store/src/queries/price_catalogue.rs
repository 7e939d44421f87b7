//! Catalogues of prices: which ones were imported, and the one that is in force.

use diesel::prelude::*;
use keyward_core::catalogue::Catalogue;
use serde::Serialize;

use super::{Conn, audit};
use crate::error::StoreError;
use crate::instant::Instant;
use crate::recorder::Recorder;
use crate::schema::price_catalogues;
use crate::store::{NewCatalogue, StoredCatalogue};

/// Puts a catalogue in force.
pub(crate) fn put(c: &mut Conn, by: &Recorder, new: &NewCatalogue) -> Result<(), StoreError> {
    let NewCatalogue { version, source, sha256, catalogue } = new;
    let text = catalogue.as_ref().map(Catalogue::to_json).transpose().map_err(StoreError::internal)?;
    diesel::insert_into(price_catalogues::table)
        .values((
            price_catalogues::version.eq(version),
            price_catalogues::source.eq(source),
            price_catalogues::sha256.eq(sha256),
            price_catalogues::effective_at.eq(Instant(by.change.at)),
            price_catalogues::catalogue.eq(text),
        ))
        .execute(c)?;
    let models = catalogue.as_ref().map(|catalogue| catalogue.cards().len());
    audit::created(c, by, ("price_catalogue", version), &Record { version, source, sha256: sha256.as_deref(), models })
}

/// What was put in force, for the audit log.
#[derive(Serialize)]
struct Record<'a> {
    version: &'a str,
    source: &'a str,
    sha256: Option<&'a str>,
    models: Option<usize>,
}

/// The catalogue that is in force; none: the one that Keyward ships with.
pub(crate) fn in_force(c: &mut Conn) -> Result<Option<Catalogue>, StoreError> {
    let last = price_catalogues::table.order(price_catalogues::number.desc()).select(price_catalogues::catalogue);
    let text: Option<Option<String>> = last.first(c).optional()?;
    let read = |text: String| Catalogue::from_json(&text).map_err(|error| StoreError::unreadable("the prices", error));
    text.flatten().map(read).transpose()
}

/// Every catalogue that was put in force, oldest first.
pub(crate) fn list(c: &mut Conn) -> Result<Vec<StoredCatalogue>, StoreError> {
    type Row = (String, String, Option<String>, Instant);
    let columns =
        (price_catalogues::version, price_catalogues::source, price_catalogues::sha256, price_catalogues::effective_at);
    let rows: Vec<Row> = price_catalogues::table.order(price_catalogues::number).select(columns).load(c)?;
    let stored = rows.into_iter().map(|(version, source, sha256, effective_at)| StoredCatalogue {
        version,
        source,
        sha256,
        effective_at: effective_at.0,
    });
    Ok(stored.collect())
}
