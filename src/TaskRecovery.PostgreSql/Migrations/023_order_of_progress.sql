-- oldest library: 0.1.0
-- A call that was given up and repeated on another connection may still arrive. The ordinals of a run's writes order them: a checkpoint has
-- that of its write, and a claim has, for each of its entries that has removed its steps, that of the last reset. An older library writes
-- neither, and its runs are not ordered.
alter table {schema}.checkpoints add column ordinal bigint not null default 0;
alter table {schema}.claims add column resets jsonb;
