//! MCP clients of others against the program, over stdio and HTTP: `tests/mcp/clients.py`.
//!
//! Needs `CALLOUT_TEST_MCP_PYTHON`, a python with `tests/mcp/requirements.txt`; `.ci/mcp` installs it.
//! Without it the test is skipped, or fails with `CALLOUT_TEST_MCP=required`.

use std::{env, path::Path, process::Command};

#[test]
fn clients_of_others_list_and_call() {
    let Some(python) = env::var_os("CALLOUT_TEST_MCP_PYTHON").filter(|value| !value.is_empty()) else {
        let reason = "CALLOUT_TEST_MCP_PYTHON is not set; `source .ci/mcp` installs what it names";
        assert!(env::var_os("CALLOUT_TEST_MCP").is_none_or(|value| value != "required"), "{reason}");
        eprintln!("skipped: {reason}");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mcp/clients.py");
    let output = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_callout")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // Two clients, over stdio and HTTP, with the handshake of older revisions and without.
    assert_eq!(said.matches("revision 2025-11-25: good").count(), 4, "{said}");
    assert_eq!(said.matches("revision 2026-07-28: good").count(), 4, "{said}");
}
