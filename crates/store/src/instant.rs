//! Instants in columns: microseconds since 1970 in SQLite, `timestamptz` in PostgreSQL.
//!
//! Both keep microseconds. Anything finer is cut off, and entities are read back after they are written, so that no
//! caller ever holds an instant that the database does not.

use std::io::Write as _;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use jiff::Timestamp;

/// The column type.
#[derive(Debug, Clone, Copy, SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct InstantColumn;

/// The value of an [`InstantColumn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = InstantColumn)]
pub(crate) struct Instant(pub(crate) Timestamp);

impl Instant {
    /// The instant so many microseconds after 1970. The last second of the calendar counts as a whole, which a number of
    /// microseconds may not.
    pub(crate) fn from_microseconds(micros: i64) -> Result<Self, jiff::Error> {
        Timestamp::from_nanosecond(i128::from(micros) * 1_000).map(Self)
    }

    /// Microseconds since 1970.
    pub(crate) fn microseconds(self) -> i64 {
        self.0.as_microsecond()
    }
}

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl ToSql<InstantColumn, Sqlite> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.microseconds());
        Ok(IsNull::No)
    }
}

impl FromSql<InstantColumn, Sqlite> for Instant {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?;
        Ok(Self::from_microseconds(micros)?)
    }
}

impl ToSql<InstantColumn, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.microseconds() - POSTGRES_EPOCH;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<InstantColumn, Pg> for Instant {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        Ok(Self::from_microseconds(micros.saturating_add(POSTGRES_EPOCH))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instant_comes_back_to_the_microsecond() {
        for instant in ["9999-12-30T22:00:00.999999Z", "9999-12-30T22:00:00Z", "1969-12-31T23:59:59.999999Z"] {
            let instant: Timestamp = instant.parse().unwrap();
            assert_eq!(Instant::from_microseconds(instant.as_microsecond()).unwrap(), Instant(instant));
        }
    }
}
