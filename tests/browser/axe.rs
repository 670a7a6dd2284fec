//! What axe-core has against a page: the rules of WCAG 2.2 A and AA and its best practices.

use std::path::PathBuf;

use super::driver::Browser;

/// Where axe-core lies.
const VARIABLE: &str = "PASSANT_AXE";

pub(crate) struct Axe {
    script: String,
}

impl Axe {
    /// Reads it from where the environment says.
    pub(crate) fn found() -> Self {
        let path = std::env::var_os(VARIABLE).map(PathBuf::from).unwrap_or_else(|| {
            panic!("set {VARIABLE} to the file axe.min.js of the npm package axe-core; .ci/run says which version, and fetches it")
        });
        let script = std::fs::read_to_string(&path);
        Self { script: script.unwrap_or_else(|error| panic!("{VARIABLE} names {}: {error}", path.display())) }
    }

    /// Every violation on the page that is open: the rule, what it asks, and where.
    pub(crate) fn violations(&self, browser: &mut Browser) -> Vec<String> {
        if browser.run("return typeof axe") == "undefined" {
            browser.run(&self.script);
        }
        let found = browser.run(
            "return axe.run().then(({ violations, passes }) => ({
               passes: passes.length,
               violations: violations.map(({ id, help, nodes }) =>
                 `${id}: ${help}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`),
             }))",
        );
        assert!(found["passes"].as_u64().is_some_and(|passes| passes > 10), "axe looked at nothing: {found}");
        let violations = found["violations"].as_array().expect("violations");
        violations.iter().map(|violation| violation.as_str().unwrap_or_default().to_owned()).collect()
    }
}
