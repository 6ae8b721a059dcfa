-- oldest library: 0.1.0
-- Each run changes its job's plan. Where no index has a part in that, and the page has room, the row changes in place; these two
-- made every run write four index entries, and served a look that reads all active jobs anyway.
drop index {schema}.jobs_unplanned_idx;
drop index {schema}.jobs_planned_entry_idx;

alter table {schema}.jobs set (
    fillfactor = 70,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_scale_factor = 0.1,
    autovacuum_vacuum_cost_delay = 0
);
