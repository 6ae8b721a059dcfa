-- oldest library: 0.1.0
-- Lists of jobs are ordered by the bytes of their names, which the index of the unique names does in databases with the collation C only.
create index jobs_name_c_idx on {schema}.jobs (name collate "C");
