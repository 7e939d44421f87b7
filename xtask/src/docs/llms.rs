//! `llms.txt`: what there is to read, for programs that read it.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::page::Page;

/// The text: a line for each page of the guide, and for each document.
pub(super) fn text(pages: &[Page]) -> Result<String> {
    let mut text = "# Keyward\n\n> The governance layer for LLM traffic: virtual keys in place of provider keys, with budgets and rate \
                    limits that hold.\n\n## Guide\n\n"
        .to_owned();
    let is_guide = |page: &&Page| page.path.parent() == Some(Path::new("docs")) && page.title != "Summary";
    for page in pages.iter().filter(is_guide) {
        let file = page.path.with_extension("html");
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !page.lead.is_empty() {
            writeln!(text, "- [{}]({name}): {}", page.title, page.lead)?;
        }
    }
    text.push_str(
        "\n## API\n\n- [Management API](reference/openapi/management.json): OpenAPI 3.1\n\
         - [Gateway](reference/openapi/gateway.json): OpenAPI 3.1\n",
    );
    Ok(text)
}
