-- oldest library: 0.1.0
-- Which application declares a job in its code: it can say at its next start that it no longer does.
alter table taskrecovery_jobs add column declared_by text;
