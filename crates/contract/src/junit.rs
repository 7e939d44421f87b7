//! A report as JUnit XML, which build servers read: a suite for each document, a case for each operation.

use std::io::Write;

use quick_junit::{NonSuccessKind, Report as Xml, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::report::{OperationReport, Report};

/// The report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the JUnit report cannot be written")]
pub struct Unwritable(#[from] SerializeError);

/// Writes a report as JUnit XML.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &Report, to: impl Write) -> Result<(), Unwritable> {
    let mut xml = Xml::new("keyward-contract");
    xml.set_time(report.took);
    let mut documents: Vec<&str> = report.operations.iter().map(|operation| operation.document.as_str()).collect();
    documents.dedup();
    for document in documents {
        let mut suite = TestSuite::new(document);
        let operations = report.operations.iter().filter(|operation| operation.document == document);
        suite.add_test_cases(operations.map(case));
        xml.add_test_suite(suite);
    }
    Ok(xml.serialize(to)?)
}

fn case(operation: &OperationReport) -> TestCase {
    let failures = &operation.reached.failures;
    let status = match (failures.first(), operation.skipped()) {
        (Some(first), _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(first.as_str()).set_type("contract").set_description(failures.join("\n"));
            status
        }
        (None, Some(reason)) if operation.reached.requests == 0 => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason);
            status
        }
        (None, _) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(operation.id.as_str(), status);
    case.set_classname(operation.route.as_str()).set_time(operation.reached.took);
    case
}
