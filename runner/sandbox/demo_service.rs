//! A little web service that can really be killed and really comes back: the sandbox's patient.
//!
//! `GET /health` answers 200 `ok`, or 503 while a file `broken` lies in its folder.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long)]
    listen: SocketAddr,
    /// Holds `pid` while it runs, and `broken` while it shall be ill
    #[arg(long)]
    folder: PathBuf,
}

pub async fn run(args: Args) -> ExitCode {
    let listener = match tokio::net::TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot listen on {}", args.listen);
            return ExitCode::from(2);
        }
    };
    let pid = args.folder.join("pid");
    if std::fs::write(&pid, std::process::id().to_string()).is_err() {
        return ExitCode::from(2);
    }
    let router = Router::new().route("/health", get(health)).with_state(args.folder);
    match axum::serve(listener, router).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn health(State(folder): State<PathBuf>) -> (StatusCode, &'static str) {
    if folder.join("broken").exists() {
        (StatusCode::SERVICE_UNAVAILABLE, "cannot read its configuration\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}
