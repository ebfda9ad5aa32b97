"""When a source is polled next, and why.

`policy` is the door: `plan_next`, `first_plan`, `replan`, `take_back`, `refresh_allowed`.
`wish` an interval before floors, `place` its time after them. `state` what is remembered, `learn`,
`warm`, `rate` and `shape` what is learned, `hints` soft
floors, `snap` fixed minutes, `backoff` failures and endings, `cron` cron lines, `hosts` what a
host's trouble means for its sources, `outage` our own network gone, `dispatch` fair order.
"""
