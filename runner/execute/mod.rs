pub mod actuator;
