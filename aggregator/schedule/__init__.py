"""When a source is polled next, and why.

`policy` is the door: `plan_next`, `first_plan`, `replan`, `refresh_allowed`.
`state` what is remembered, `warm` a new source, `rate` and `shape` what is learned, `hints` soft
floors, `snap` fixed minutes, `backoff` failures and endings, `cron` cron lines, `hosts` what a
host's trouble means for its sources, `outage` our own network gone, `dispatch` fair order.
"""
