pub mod clock;
pub mod execute;
pub mod incident;
pub mod limits;
pub mod report;
pub mod sandbox;
