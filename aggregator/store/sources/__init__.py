"""Who is polled when: feeds and their state, claims, hosts, subscriptions, the log of polls."""
