//! Empty: cargo requires a library beside the examples.
