-- oldest library: 0.1.0
-- Number 0 is no queue's and no kind's: what was stored under it was never found again. Not checked for rows that are there.
alter table {schema}.entries add constraint entries_names_check check (queue > 0 and kind > 0) not valid;
alter table {schema}.waiting add constraint waiting_names_check check (queue > 0 and kind > 0) not valid;
