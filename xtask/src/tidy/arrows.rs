//! Who may depend on whom: the arrows between the crates of the workspace, and the libraries that have one home.

use super::Failure;
use super::metadata::Package;

struct Row {
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

/// A crate that is not here may not exist; the rest of the arrows do not either.
const ARROWS: [Row; 10] = [
    Row { package: "keyward-core", uses: &[], tests_use: &[] },
    Row { package: "keyward-engine", uses: &["keyward-core"], tests_use: &[] },
    Row { package: "keyward-store", uses: &["keyward-core"], tests_use: &[] },
    Row { package: "keyward-client", uses: &["keyward-core"], tests_use: &[] },
    Row {
        package: "keyward-server",
        uses: &["keyward-client", "keyward-core", "keyward-engine", "keyward-store"],
        tests_use: &["keyward-contract", "keyward-showcase"],
    },
    Row { package: "keyward-contract", uses: &[], tests_use: &[] },
    Row {
        package: "keyward-bench",
        uses: &["keyward-client", "keyward-core", "keyward-engine", "keyward-server", "keyward-store"],
        tests_use: &[],
    },
    Row { package: "keyward-showcase", uses: &["keyward-core", "keyward-store"], tests_use: &[] },
    Row { package: "keyward-fuzz", uses: &["keyward-server"], tests_use: &[] },
    Row { package: "xtask", uses: &[], tests_use: &[] },
];

/// Libraries by the start of their name, and the packages that may use them.
struct Home {
    library: &'static str,
    packages: &'static [&'static str],
    reason: &'static str,
}

const HOMES: [Home; 4] = [
    Home {
        library: "diesel",
        packages: &["keyward-store"],
        reason: "nothing outside the store sees a connection: ask the store for a method",
    },
    Home {
        library: "actix",
        packages: &["keyward-server", "keyward-bench"],
        reason: "HTTP ends in the server: what is below it must be usable and testable without",
    },
    Home {
        library: "utoipa-actix",
        packages: &["keyward-server"],
        reason: "HTTP ends in the server: what is below it must be usable and testable without",
    },
    Home {
        library: "tokio",
        packages: &[
            "keyward-client",
            "keyward-engine",
            "keyward-store",
            "keyward-server",
            "keyward-contract",
            "keyward-bench",
            "keyward-showcase",
        ],
        reason: "core says what things are: it has no I/O",
    },
];

pub(super) fn check(packages: &[Package]) -> Vec<Failure> {
    let members: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
    packages.iter().flat_map(|package| check_package(package, &members)).collect()
}

fn check_package(package: &Package, members: &[&str]) -> Vec<Failure> {
    let path = format!("{}/Cargo.toml", package.directory);
    let Some(row) = ARROWS.iter().find(|row| row.package == package.name) else {
        let reason = format!("`{}` is new: draw its arrows in the design and in xtask's tidy/arrows.rs", package.name);
        return vec![Failure::new(&path, None, reason)];
    };
    let mut failures = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let allowed = row.uses.contains(&name) || (dependency.dev && row.tests_use.contains(&name));
        if members.contains(&name) && !allowed {
            let reason = format!(
                "`{}` must not depend on `{name}`: arrows are {{engine, store, client}} -> core, \
                 server -> {{core, engine, store, client}}, and nothing else (server -> {{contract, showcase}} in tests only)",
                package.name
            );
            failures.push(Failure::new(&path, None, reason));
        }
        for home in HOMES.iter().filter(|home| is_of(name, home.library) && !home.packages.contains(&row.package)) {
            failures.push(Failure::new(&path, None, format!("`{name}` does not belong here: {}", home.reason)));
        }
    }
    failures
}

/// Whether a package is the library or one of its family.
fn is_of(name: &str, library: &str) -> bool {
    name.strip_prefix(library).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
}

#[cfg(test)]
mod tests {
    use super::super::metadata::Dependency;
    use super::*;

    fn failures(name: &str, dependencies: &[(&str, bool)]) -> usize {
        let package = |name: &str, dependencies: &[(&str, bool)]| Package {
            name: name.to_owned(),
            directory: format!("crates/{name}"),
            dependencies: dependencies.iter().map(|&(name, dev)| Dependency { name: name.to_owned(), dev }).collect(),
            tests: Vec::new(),
        };
        let members = ARROWS.iter().filter(|row| row.package != name).map(|row| package(row.package, &[]));
        check(&members.chain([package(name, dependencies)]).collect::<Vec<_>>()).len()
    }

    #[test]
    fn the_arrows_of_the_design_are_allowed() {
        let of_server =
            [("keyward-core", false), ("keyward-engine", false), ("keyward-store", false), ("actix-web", false)];
        assert_eq!(failures("keyward-server", &of_server), 0);
        assert_eq!(failures("keyward-server", &[("keyward-client", false)]), 0);
        assert_eq!(failures("keyward-store", &[("keyward-core", false), ("diesel-async", false)]), 0);
    }

    #[test]
    fn no_other_arrow_is() {
        assert_eq!(failures("keyward-client", &[("keyward-server", true)]), 1);
        assert_eq!(failures("keyward-core", &[("keyward-engine", true)]), 1);
        assert_eq!(failures("keyward-engine", &[("keyward-store", false)]), 1);
        assert_eq!(failures("xtask", &[("keyward-core", false)]), 1);
        assert_eq!(failures("keyward-new", &[]), 1);
    }

    #[test]
    fn a_library_stays_at_home() {
        assert_eq!(failures("keyward-server", &[("diesel", true)]), 1);
        assert_eq!(failures("keyward-engine", &[("actix-web", false)]), 1);
        assert_eq!(failures("keyward-core", &[("tokio-util", false), ("diesel_migrations", false)]), 2);
    }
}
