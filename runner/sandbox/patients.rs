//! The sandbox's patients: real web services, a real log directory and a queue, below one folder.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// The scenarios that treat them, as they stand in the repository.
const SCENARIOS: [(&str, &str); 4] = [
    ("site-not-answering.yaml", include_str!("../../scenarios/sandbox/site-not-answering.yaml")),
    ("log-directory-full.yaml", include_str!("../../scenarios/sandbox/log-directory-full.yaml")),
    ("queue-stuck.yaml", include_str!("../../scenarios/sandbox/queue-stuck.yaml")),
    ("cpu-high.yaml", include_str!("../../scenarios/sandbox/cpu-high.yaml")),
];

const SERVICECTL: &str = include_str!("servicectl.sh");

pub struct Patients {
    folder: PathBuf,
}

/// A started service must answer within this.
const HEALTHY: Duration = Duration::from_secs(10);

impl Patients {
    /// Makes them, all well, in `folder`.
    pub fn admit(folder: &Path, exe: &Path) -> io::Result<Self> {
        let patients = Self { folder: folder.to_owned() };
        std::fs::create_dir_all(patients.scenarios())?;
        for (name, text) in SCENARIOS {
            std::fs::write(patients.scenarios().join(name), text)?;
        }
        let servicectl = folder.join("servicectl");
        std::fs::write(&servicectl, SERVICECTL)?;
        std::fs::set_permissions(&servicectl, PermissionsExt::from_mode(0o755))?;
        let link = folder.join("ams");
        if !link.exists() {
            std::os::unix::fs::symlink(exe, link)?;
        }
        Ok(patients)
    }

    pub fn scenarios(&self) -> PathBuf {
        self.folder.join("scenarios")
    }

    /// What the scenarios need to know of them.
    pub fn vars(&self) -> BTreeMap<String, String> {
        let below = |name: &str| self.folder.join(name).display().to_string();
        ["servicectl", "services", "logs", "queues"]
            .map(|name| (name.to_owned(), below(name)))
            .into()
    }

    pub fn service(&self, name: &str) -> PathBuf {
        self.folder.join("services").join(name)
    }

    /// A service with a port of its own, not started. Answers with the port.
    pub fn add_service(&self, name: &str) -> io::Result<u16> {
        let folder = self.service(name);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("service.log"), "")?;
        let port_file = folder.join("port");
        if let Ok(port) = std::fs::read_to_string(&port_file) {
            return port.trim().parse().map_err(io::Error::other);
        }
        // The port is free now; the service takes it when it starts.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        std::fs::write(port_file, port.to_string())?;
        Ok(port)
    }

    /// Starts a service and waits until it answers, well or ill.
    pub async fn start_service(&self, name: &str) -> io::Result<()> {
        self.servicectl("start", name).await?;
        let port = self.add_service(name)?;
        let answers = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(HEALTHY, answers)
            .await
            .map_err(|_| io::Error::other(format!("service {name} does not start")))
    }

    /// Kills a service, so that only a restart brings it back.
    pub async fn kill_service(&self, name: &str) -> io::Result<()> {
        self.servicectl("stop", name).await
    }

    /// From now on a restart does not help.
    pub fn spoil_service(&self, name: &str) -> io::Result<()> {
        std::fs::write(self.service(name).join("broken"), "")
    }

    pub fn restarts(&self, name: &str) -> usize {
        lines(&self.service(name).join("restarts"))
    }

    /// Fills a log directory beyond its limit: one log in use, several old ones.
    pub fn fill_logs(&self, app: &str) -> io::Result<()> {
        let folder = self.folder.join("logs").join(app);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("app.log"), "in use\n".repeat(1_000))?;
        for generation in 1..=6 {
            std::fs::write(folder.join(format!("app.log.{generation}")), vec![b'x'; 80 * 1024])?;
        }
        Ok(())
    }

    /// Old logs left, and whether the log in use is still there.
    pub fn logs_left(&self, app: &str) -> (usize, bool) {
        let folder = self.folder.join("logs").join(app);
        let old = (1..=6).filter(|n| folder.join(format!("app.log.{n}")).exists()).count();
        (old, folder.join("app.log").exists())
    }

    pub fn fill_queue(&self, queue: &str) -> io::Result<()> {
        let folder = self.folder.join("queues").join(queue);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("length"), "42\n")
    }

    pub fn queue_restarts(&self, queue: &str) -> usize {
        lines(&self.folder.join("queues").join(queue).join("restarts"))
    }

    /// Stops every service.
    pub async fn discharge(&self) {
        let Ok(services) = std::fs::read_dir(self.folder.join("services")) else { return };
        for service in services.flatten() {
            drop(self.servicectl("stop", &service.file_name().to_string_lossy()).await);
        }
    }

    async fn servicectl(&self, verb: &str, name: &str) -> io::Result<()> {
        let status = Command::new(self.folder.join("servicectl"))
            .args([verb, name])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
        tracing::debug!("servicectl {verb} {name}: {status}");
        Ok(())
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
