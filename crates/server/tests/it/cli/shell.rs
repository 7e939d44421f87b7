//! Completions and manual pages.

use std::process::Command;

use crate::operations::keyward;

fn printed(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let output = keyward(directory.path()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn shells_can_complete_the_command() {
    for (shell, expected) in [("bash", "_keyward()"), ("zsh", "#compdef keyward"), ("fish", "complete -c keyward")] {
        let script = printed(&["completions", shell]);
        assert!(script.contains(expected) && script.contains("rotate") && script.contains("token-file"), "{shell}");
    }
    let script = printed(&["completions", "bash"]);
    let typed = "\nCOMP_WORDS=(keyward keys ro) COMP_CWORD=2; _keyward keyward ro keys; echo \"${COMPREPLY[@]}\"";
    let output = Command::new("bash").args(["--norc", "-c", &format!("{script}{typed}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "rotate\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn there_is_a_manual_page_of_the_whole_and_of_each_command() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH keyward 1") && page.contains("Exit codes") && page.contains("KEYWARD_TOKEN"), "{page}");
    let directory = tempfile::tempdir().unwrap();
    printed(&["man", "--directory", directory.path().to_str().unwrap()]);
    for page in ["keyward.1", "keyward-keys-create.1", "keyward-usage.1"] {
        assert!(directory.path().join(page).exists(), "{page}");
    }
}
