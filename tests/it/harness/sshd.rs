//! A real OpenSSH server on a free port, with keys that nobody needs afterwards.

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ams::customer::ssh::{SshDoor, SshHostKeys, SshIdentity, SshWay, SshWords};
use tempfile::TempDir;

use super::wait;

const SSHD: &str = "/usr/sbin/sshd";

/// A server, its host key and a user's key; its home directory is a folder of its own.
pub(crate) struct Sshd {
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
    server: Option<Child>,
}

impl Sshd {
    pub(crate) async fn start() -> Self {
        assert!(Path::new(SSHD).exists(), "{SSHD} is not there: tests/run installs it");
        if user() == "root" {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        for name in ["host", "user"] {
            key(&dir.path().join(name));
        }
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::copy(dir.path().join("user.pub"), dir.path().join("authorized")).unwrap();
        let mut sshd = Self { dir, port: 0, server: None };
        // Somebody else may take the port between our asking for one and the server's start.
        for _ in 0..5 {
            sshd.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            sshd.begin();
            if sshd.greets().await {
                return sshd;
            }
        }
        panic!("sshd does not start: {}", fs::read_to_string(sshd.path("log")).unwrap_or_default());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A file in the server's home directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path("home").join(name)).unwrap_or_default()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path("home").join(name).exists()
    }

    fn begin(&mut self) {
        let path = |name: &str| self.path(name).display().to_string();
        let configuration = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             SetEnv HOME={}\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 200\n\
             LogLevel VERBOSE\n",
            self.port,
            path("host"),
            path("authorized"),
            path("home"),
        );
        fs::write(self.path("sshd_config"), configuration).unwrap();
        let log = fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut server = Command::new(SSHD);
        server.args(["-D", "-e", "-f", &path("sshd_config")]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.server = Some(server.spawn().unwrap());
    }

    async fn greets(&mut self) -> bool {
        let port = self.port;
        let mut ended = false;
        let server = self.server.as_mut().unwrap();
        wait::until("sshd to greet or to end", || {
            ended = server.try_wait().unwrap().is_some();
            ended || greeting(port).is_some()
        })
        .await;
        !ended
    }

    /// Takes the server away; what runs on the host goes on.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            cut(&server);
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    pub(crate) async fn start_again(&mut self) {
        self.begin();
        assert!(self.greets().await, "sshd does not start again");
    }

    /// Cuts every connection.
    pub(crate) fn cut(&self) {
        cut(self.server.as_ref().unwrap());
    }

    /// The way in, as a customer's file would say it.
    pub(crate) fn words(&self) -> SshWords {
        let key = fs::read_to_string(self.path("host.pub")).unwrap();
        let key: Vec<&str> = key.split(' ').take(2).collect();
        let door = SshDoor { address: "127.0.0.1".to_owned(), port: self.port, user: user() };
        SshWords {
            customer: "example-shop".to_owned(),
            host: "web01".to_owned(),
            host_keys: SshHostKeys::Lines(vec![format!(
                "[127.0.0.1]:{} {}",
                self.port,
                key.join(" ").trim()
            )]),
            identity: SshIdentity::File(self.path("user").display().to_string()),
            door,
            jumps: Vec::new(),
            device: false,
        }
    }

    pub(crate) fn way(&self) -> SshWay {
        SshWay::new(self.words()).unwrap()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn cut(server: &Child) {
    let children = format!("/proc/{0}/task/{0}/children", server.id());
    for pid in fs::read_to_string(children).unwrap_or_default().split_whitespace() {
        Command::new("kill").args(["-KILL", pid]).stderr(Stdio::null()).status().unwrap();
    }
}

fn greeting(port: u16) -> Option<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let mut start = [0; 4];
    stream.read_exact(&mut start).ok()?;
    (&start == b"SSH-").then_some(())
}

/// A key pair without a passphrase.
pub(crate) fn key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn user() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// An agent that holds one key.
pub(crate) struct Agent(Child);

impl Agent {
    pub(crate) async fn start(socket: &Path, key: &Path) -> Self {
        let mut agent = Command::new("ssh-agent");
        agent.args(["-D", "-a"]).arg(socket).stdout(Stdio::null());
        let agent = Self(agent.spawn().unwrap());
        wait::until("the agent's socket", || socket.exists()).await;
        let added = Command::new("ssh-add").arg(key).env("SSH_AUTH_SOCK", socket).output().unwrap();
        assert!(added.status.success(), "{added:?}");
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
