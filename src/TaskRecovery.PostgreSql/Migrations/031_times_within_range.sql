-- oldest library: 0.1.0
-- A finite time can be as useless as one without end: .NET has no year above 9999, and a wait of thirty thousand years, computed from it, was
-- taken for none at all. No version of this library writes such a time, so that older nodes may run beside newer ones. Not checked for rows
-- that are there: no table is read or locked, and the readers of the newer nodes cope with such rows.
alter domain {schema}.due_time drop constraint if exists due_time_check;
alter domain {schema}.due_time add constraint due_time_check
    check (value >= timestamptz '0001-01-02 00:00Z' and value < timestamptz '9999-12-31 00:00Z') not valid;
