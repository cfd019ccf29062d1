//! Runs checked recipes: tasks, back-pressure, acks, checkpoints, retry, shutdown.
