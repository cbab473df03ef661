//! The HTML report in a real browser, at the widths of a phone and of a desk.

use std::io::Write as _;
use std::process::Command;

/// The browser, where there is one; without one the test says so, and fails under `CI=true`.
fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success())
    });
    if found.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no Chromium: install `chromium`");
        // Past the harness, which keeps what a passing test prints to itself.
        let said = "LEFT OUT: no Chromium here, so the report was not opened in a browser";
        let _ = writeln!(std::io::stderr(), "{said}");
    }
    found
}

#[test]
fn the_report_opens_in_a_browser_and_nothing_sticks_out_at_phone_and_desk_width() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    // The report itself has no script and forbids them; this copy measures itself.
    let policy = "http-equiv=\"Content-Security-Policy\"";
    let html = crate::html::sample();
    assert!(html.contains(policy));
    let measuring = "<script>document.body.dataset.measured = [innerWidth, \
        document.documentElement.scrollWidth, document.querySelectorAll('svg').length].join(' ')\
        </script></body>";
    let html = html.replace(policy, "name=\"left-out\"").replace("</body>", measuring);
    std::fs::write(&file, html).unwrap();
    for width in [390, 1280] {
        let profile = folder.path().join(format!("profile-{width}"));
        let output = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ])
            .arg(format!("--window-size={width},900"))
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("file://{}", file.display()))
            .output()
            .expect("the browser starts");
        let dom = String::from_utf8_lossy(&output.stdout);
        let measured = dom
            .split_once("data-measured=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .unwrap_or_else(|| panic!("the page did not open: {dom}"))
            .0;
        let numbers: Vec<u32> = measured.split(' ').map(|n| n.parse().unwrap()).collect();
        let &[inner, scroll, plots] = numbers.as_slice() else { panic!("{measured}") };
        assert!(scroll <= inner, "at {inner} pixels the page is {scroll} wide");
        assert_eq!(plots, 4, "plots at {inner} pixels");
    }
}
