-- oldest library: 0.1.0
-- No wait can be computed from a time without end, and this library never writes one. Not checked for rows that are there: their readers
-- cope with them, and they must not stop an upgrade.
alter table {schema}.waiting add constraint waiting_time_check check (isfinite(run_at)) not valid;

-- jobs_sound (migration 011) requires everything that jobs_sound_check (migration 009) requires.
alter table {schema}.jobs drop constraint if exists jobs_sound_check;
