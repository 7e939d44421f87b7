//! Addresses: which database a URL means, and how PostgreSQL is to be spoken to.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::StoreError;
use crate::tls::Trust;

/// Where the database is.
#[derive(Debug)]
pub(crate) enum Address {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Config>, Trust),
}

impl Address {
    /// Reads `sqlite://PATH` or `postgres://…`. What it says of a bad URL never has the password in it.
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let refuse = |why: &str| StoreError::Address(why.to_owned());
        match url.split_once("://") {
            Some(("sqlite", path)) => sqlite(path),
            Some(("postgres" | "postgresql", _)) => postgres(url),
            Some(_) | None => Err(refuse("it must begin with sqlite:// or postgres://")),
        }
    }
}

fn sqlite(path: &str) -> Result<Address, StoreError> {
    if path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) {
        return Err(StoreError::Address("sqlite:// must be followed by the path of a file".to_owned()));
    }
    std::path::absolute(path).map(Address::Sqlite).map_err(|error| StoreError::Address(error.to_string()))
}

/// `sslmode` is taken out of the URL: the driver's parser knows fewer modes.
fn postgres(url: &str) -> Result<Address, StoreError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (modes, rest): (Vec<&str>, Vec<&str>) =
        query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| pair.starts_with("sslmode="));
    let url = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        StoreError::Address(format!("{error}: {cause}"))
    })?;
    let trust = ssl_mode(modes.last().copied(), &mut config)?;
    patience(&mut config);
    Ok(Address::Postgres(Box::new(config), trust))
}

/// What libpq's modes mean: `prefer` and `require` encrypt without checking who is there, `verify-full` checks.
fn ssl_mode(pair: Option<&str>, config: &mut Config) -> Result<Trust, StoreError> {
    let (mode, trust) = match pair.map(|pair| pair.trim_start_matches("sslmode=")) {
        Some("disable") => (SslMode::Disable, Trust::Anyone),
        None | Some("prefer") => (SslMode::Prefer, Trust::Anyone),
        Some("require") => (SslMode::Require, Trust::Anyone),
        Some("verify-full") => (SslMode::Require, Trust::Roots),
        Some(_) => {
            let known = "sslmode must be disable, prefer, require or verify-full";
            return Err(StoreError::Address(known.to_owned()));
        }
    };
    config.ssl_mode(mode);
    Ok(trust)
}

/// Notices a peer that vanished, unless the URL says otherwise.
fn patience(config: &mut Config) {
    if config.get_application_name().is_none() {
        config.application_name("keyward");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(Duration::from_secs(30));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> (SslMode, Trust) {
        match Address::parse(url).unwrap() {
            Address::Postgres(config, trust) => (config.get_ssl_mode(), trust),
            Address::Sqlite(path) => panic!("{}", path.display()),
        }
    }

    #[test]
    fn ssl_modes_mean_what_they_mean_elsewhere() {
        assert_eq!(mode("postgres://h/d"), (SslMode::Prefer, Trust::Anyone));
        assert_eq!(mode("postgres://h/d?sslmode=disable"), (SslMode::Disable, Trust::Anyone));
        assert_eq!(mode("postgres://h/d?sslmode=require"), (SslMode::Require, Trust::Anyone));
        let url = "postgresql://u:p@h/d?connect_timeout=3&sslmode=verify-full&application_name=x";
        assert_eq!(mode(url), (SslMode::Require, Trust::Roots));
    }

    #[test]
    fn unusable_urls_are_refused_without_their_password() {
        for url in [
            "mysql://h/d",
            "keyward.db",
            "sqlite://",
            "sqlite://:memory:",
            "postgres://u:hunter2@h/d?sslmode=verify-ca",
            "postgres://u:hunter2@h:port/d",
            "postgres://u:hunter2@h/d?nonsense=1",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(matches!(&error, StoreError::Address(why) if !why.contains("hunter2")), "{url}: {error}");
        }
    }
}
