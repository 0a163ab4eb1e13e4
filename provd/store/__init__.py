"""The store: leases, systems, installs, boot sessions, events, tokens and trigger runs, durable in one file."""
