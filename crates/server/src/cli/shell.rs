//! What a shell and a reader want of the command itself: completions, and manual pages.

use std::path::PathBuf;

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

use super::failure::Failure;
use super::output;

/// Shells that completions are written for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Target,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Writes a page for each command into this directory, instead of printing that of `keyward`
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(self, mut command: Command) -> Result<(), Failure> {
        let shell = match self.shell {
            Target::Bash => Shell::Bash,
            Target::Zsh => Shell::Zsh,
            Target::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, "keyward", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}

impl Man {
    pub(super) fn run(self, command: Command) -> Result<(), Failure> {
        let unwritten = |error: std::io::Error| Failure::here("the manual cannot be written", &error);
        match self.directory {
            Some(directory) => clap_mangen::generate_to(command, directory).map_err(unwritten),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command).render(&mut page).map_err(unwritten)?;
                output::print(&String::from_utf8_lossy(&page))
            }
        }
    }
}
