-- oldest library: 0.1.0
-- Kinds get numbers below 0 when those up to 32,767 are used up. A wider column would rewrite entries, waiting and the history of outcomes
-- under an exclusive lock. Not checked for rows that are there.
alter table {schema}.entries drop constraint entries_names_check, add constraint entries_names_check check (queue > 0 and kind <> 0) not valid;
alter table {schema}.waiting drop constraint waiting_names_check, add constraint waiting_names_check check (queue > 0 and kind <> 0) not valid;
