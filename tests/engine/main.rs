//! A DynamoDB engine on a free port of this machine, in memory, until it is killed.
//!
//! The first line of standard output says where it listens.

use std::net::Ipv4Addr;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let database = dynoxide::Database::memory()?;
    println!("http://{}", listener.local_addr()?);
    dynoxide::server::serve_on(listener, database).await;
    Ok(())
}
