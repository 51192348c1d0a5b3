"""The sections of docs/benchmarks.md: each module measures one, beside what one would use otherwise."""
