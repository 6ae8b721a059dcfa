-- oldest library: 0.1.0
-- A column loses its statistics when its type changes. In a transaction of its own, because 028 and 029 lock out everybody until their commit. Not for a table
-- without rows: the server would take it for a table that stays empty, and read all of it wherever it is joined.
do $analyze$
begin
    if exists (select from {schema}.entries) then
        analyze {schema}.entries;
    end if;
    if exists (select from {schema}.waiting) then
        analyze {schema}.waiting;
    end if;
end
$analyze$;
