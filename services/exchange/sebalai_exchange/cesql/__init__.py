"""CloudEvents SQL 1.0.0 (CESQL): predicates over the context attributes of one event.

Pure, and of no use to anybody but filters: what fails in the middle of an evaluation lets no event
through (section 1.2, fail fast of section 4.1). An event's data cannot be named at all.
Source: cloudevents/spec, cesql/spec.md, v1.0.0 of 2024-06-13.
"""
