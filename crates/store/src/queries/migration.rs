//! Migrations: run at open, each in a transaction, and only on a database that this binary understands.

use diesel::connection::SimpleConnection as _;
use diesel::migration::{Migration, MigrationSource as _};
use diesel_migrations::MigrationHarness as _;

use super::{Backend, Conn, MIGRATIONS};
use crate::error::StoreError;
use crate::schema::TABLES;

/// Brings the schema up to date and checks that every table has the columns that the queries use.
pub(crate) fn run(c: &mut Conn) -> Result<(), StoreError> {
    let migrations: Vec<Box<dyn Migration<Backend>>> = MIGRATIONS.migrations().map_err(StoreError::internal)?;
    let known: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = c.applied_migrations().map_err(StoreError::unavailable)?;
    check_applied(&known, applied.iter().rev().map(ToString::to_string))?;
    for migration in migrations.iter().skip(applied.len()) {
        c.run_migration(&**migration).map_err(|error| StoreError::SchemaDamaged {
            what: format!("migration {} cannot be applied: {error}", migration.name()),
        })?;
    }
    TABLES.iter().copied().flatten().try_for_each(|(table, columns)| check_columns(c, table, columns))
}

/// What is applied must be the beginning of what is known.
fn check_applied(known: &[String], applied: impl Iterator<Item = String>) -> Result<(), StoreError> {
    let applied: Vec<String> = applied.collect();
    if let Some(version) = applied.iter().find(|version| !known.contains(version)) {
        return Err(StoreError::SchemaNewer { version: version.clone() });
    }
    match known.iter().zip(&applied).find(|(known, applied)| known != applied) {
        Some((missing, _)) => Err(StoreError::SchemaDamaged { what: format!("migration {missing} was left out") }),
        None => Ok(()),
    }
}

fn check_columns(c: &mut Conn, table: &str, columns: &[&str]) -> Result<(), StoreError> {
    // Qualified names: SQLite reads a quoted name that is no column as a string.
    let columns: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
    c.batch_execute(&format!("SELECT {} FROM {table} LIMIT 0", columns.join(", ")))
        .map_err(|error| StoreError::SchemaDamaged { what: format!("table {table}: {error}") })
}
