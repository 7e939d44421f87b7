//! Asking before something is done that cannot be undone.

use std::io::{BufRead, IsTerminal as _};

use clap::Args;

use super::failure::{Exit, Failure};
use super::output;

/// Whether to ask.
#[derive(Debug, Args)]
pub(super) struct Confirmation {
    /// Does not ask. Needed where nobody can be asked, because standard input is no terminal
    #[arg(long, short)]
    yes: bool,
}

impl Confirmation {
    /// Goes on when somebody says yes to the question, or has said so on the command line.
    pub(super) fn ask(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Err(Failure::new(Exit::Failed, format!("{question} Nobody can be asked here."))
                .advising("Nothing was changed. Say --yes to do it without a question."));
        }
        output::note(&format!("{question} Type yes to go on:"));
        agreed(&mut input.lock())
    }
}

fn agreed(answers: &mut impl BufRead) -> Result<(), Failure> {
    let mut answer = String::new();
    let read = answers.read_line(&mut answer);
    read.map_err(|error| Failure::here("the answer cannot be read", &error))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Exit::Failed, "nothing was changed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, is_yes) in
            [("yes\n", true), ("Y\n", true), ("\n", false), ("no\n", false), ("", false), ("yess\n", false)]
        {
            assert_eq!(agreed(&mut answer.as_bytes()).is_ok(), is_yes, "{answer:?}");
        }
    }
}
