//! A real Chromium, driven by the words of WebDriver over one connection to its chromedriver; both are gone when it is
//! dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The key under which WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Lines of chromedriver until it says its port.
const LINES_MAX: usize = 20;
/// Starts of chromedriver until one has said its port.
const STARTS_MAX: u32 = 5;
/// Looks until something is so, with a pause between them: together a minute.
const LOOKS_MAX: u32 = 1_200;
const LOOK: Duration = Duration::from_millis(50);
/// The longest that an element is waited for, ms.
const ELEMENT_MS_MAX: u64 = 60_000;
/// The longest that one command may take. A machine that builds beside it is slow.
const COMMAND_SECS_MAX: u64 = 120;

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Run,
    Off,
}

/// The window's inside, and what its reader likes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// CSS pixels.
    pub(crate) width: u32,
    /// CSS pixels.
    pub(crate) height: u32,
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
}

pub(crate) struct Browser {
    driver: Child,
    line: BufReader<TcpStream>,
    session: String,
}

/// A telephone held upright, by day.
pub(crate) const PHONE: View = View { width: 390, height: 844, scheme: "light" };

impl Browser {
    /// Starts one, in English.
    pub(crate) fn open(scripts: Scripts) -> Self {
        let (driver, port) = started(Command::new("chromedriver").arg("--port=0"));
        let line = TcpStream::connect(("127.0.0.1", port)).expect("chromedriver listens");
        line.set_read_timeout(Some(Duration::from_secs(COMMAND_SECS_MAX))).expect("a limit");
        let mut browser = Self { driver, line: BufReader::new(line), session: String::new() };
        let options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-background-networking"],
            "prefs": {
                "intl.accept_languages": "en",
                // 2 is: blocked.
                "profile.managed_default_content_settings.javascript": if scripts == Scripts::Off { 2 } else { 1 },
            },
        });
        let wanted = json!({
            "browserName": "chrome", "timeouts": {"implicit": ELEMENT_MS_MAX},
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
        });
        let answer = browser.say("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let answer = answer.expect("Chromium starts; on Debian it is in the package chromium");
        browser.session = answer["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    /// Lays a window's inside out anew, as a telephone's screen is when it is narrow.
    pub(crate) fn look_as(&mut self, view: View) {
        let View { width, height, scheme } = view;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Has what a page saves come into a directory, without a question.
    pub(crate) fn save_to(&mut self, directory: &Path) {
        let behaviour = json!({"behavior": "allow", "downloadPath": directory});
        self.devtools("Browser.setDownloadBehavior", &behaviour);
    }

    pub(crate) fn go(&mut self, url: &str) {
        self.command("POST", "url", &json!({"url": url}));
    }

    pub(crate) fn url(&mut self) -> String {
        self.command("GET", "url", &Value::Null).as_str().expect("a URL").to_owned()
    }

    /// The text of the first element of a selector, as it is seen. Where a click leads to another page, it is waited for by
    /// an element that only that one has.
    pub(crate) fn text(&mut self, selector: &str) -> String {
        let element = self.find(selector);
        let text = self.command("GET", &format!("element/{element}/text"), &Value::Null);
        text.as_str().expect("a text").to_owned()
    }

    /// Types into a field.
    pub(crate) fn write(&mut self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("element/{element}/value"), &json!({"text": text}));
    }

    /// Clicks, which fails where something lies over the element.
    pub(crate) fn click(&mut self, selector: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("element/{element}/click"), &json!({}));
    }

    /// Presses and lets go of a key.
    pub(crate) fn press(&mut self, key: char) {
        let stroke = |kind| json!({"type": kind, "value": key});
        let keys = json!({"type": "key", "id": "keys", "actions": [stroke("keyDown"), stroke("keyUp")]});
        self.command("POST", "actions", &json!({"actions": [keys]}));
    }

    /// Runs the body of a function on the page and gives what it returns; a promise is waited for.
    pub(crate) fn run(&mut self, script: &str) -> Value {
        self.command("POST", "execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until the body of a function on the page returns something true.
    pub(crate) fn until(&mut self, what: &str, script: &str) {
        for _ in 0..LOOKS_MAX {
            if self.run(script) == true {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let seen = self.run("return document.body.innerText");
        panic!("it did not come about that {what}; the page says:\n{}", seen.as_str().unwrap_or_default());
    }

    /// What the console has said since it was asked last.
    pub(crate) fn console(&mut self) -> Vec<String> {
        let entries = self.command("POST", "se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().expect("entries");
        entries.iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect()
    }

    /// A command of the browser's own developer tools.
    pub(crate) fn devtools(&mut self, command: &str, parameters: &Value) -> Value {
        self.command("POST", "goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    fn find(&mut self, selector: &str) -> String {
        let found = self.command("POST", "element", &json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn command(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        self.say(method, &path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// One command and its answer; an error is what WebDriver says of it.
    fn say(&mut self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len());
        self.line.get_mut().write_all((head + &body).as_bytes()).map_err(|error| error.to_string())?;
        let mut len = 0;
        loop {
            let mut line = String::new();
            self.line.read_line(&mut line).map_err(|error| error.to_string())?;
            match line.trim_end().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    len = value.trim().parse().map_err(|_| "an answer without a length".to_owned())?;
                }
                Some(_) => {}
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut answer = vec![0; len];
        self.line.read_exact(&mut answer).map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }
}

/// Starts a chromedriver and gives the port that it says. It binds a free one of one family of addresses, and then the same of the
/// other: where another process has that, chromedriver ends without a word of a port, and is started again.
fn started(command: &mut Command) -> (Child, u16) {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    for _ in 0..STARTS_MAX {
        let driver = command.spawn();
        let mut driver = driver.expect("chromedriver starts; on Debian it is in the package chromium-driver");
        let mut said = BufReader::new(driver.stdout.take().expect("it has an output")).lines();
        let port = said.by_ref().take(LINES_MAX).find_map(|line| {
            line.ok()?.split_once("successfully on port ")?.1.trim_end_matches('.').parse::<u16>().ok()
        });
        if let Some(port) = port {
            // It may go on talking; nobody's pipe is full because of it.
            std::thread::spawn(move || said.for_each(drop));
            return (driver, port);
        }
        let _ = driver.kill();
        let _ = driver.wait();
    }
    panic!("chromedriver was started {STARTS_MAX} times and never said its port");
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session, and not with chromedriver.
        let _ = self.say("DELETE", &format!("/session/{}", self.session), &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[test]
fn a_chromedriver_that_ends_without_a_port_is_started_again() {
    let directory = tempfile::tempdir().expect("a directory");
    // Each start leaves a mark; all but the last one that is allowed find their port taken.
    let script = format!(
        "echo once >> starts\nif test $(wc -l < starts) -lt {STARTS_MAX}; then echo 'bind() failed'; exit 1; fi\n\
         echo 'ChromeDriver was started successfully on port 4711.'"
    );
    let mut command = Command::new("sh");
    command.current_dir(directory.path()).args(["-c", &script]);
    let (mut driver, port) = started(&mut command);
    driver.wait().expect("it ends");
    assert_eq!(port, 4711);
    let starts = std::fs::read_to_string(directory.path().join("starts")).expect("the marks");
    assert_eq!(starts.lines().count(), STARTS_MAX as usize);
}
