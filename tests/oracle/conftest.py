"""Shows what the oracles were asked and what was left out, and why a test was skipped, whatever the verbosity."""

import driver


def pytest_terminal_summary(terminalreporter):
    for text in driver.NOTES:
        terminalreporter.write_line(text)
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"skipped {report.nodeid}: {report.longrepr[2]}")
