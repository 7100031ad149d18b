//! Finds or starts the real immudb that the tests run against.
