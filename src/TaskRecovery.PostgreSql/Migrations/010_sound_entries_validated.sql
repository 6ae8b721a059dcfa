-- oldest library: 0.1.0
-- Reads the tables once, beside those who work on them. Rows that something else wrote keep a check from being validated, and stop no start.
do $validate$
begin
    begin
        alter table {schema}.entries validate constraint entries_sound_check;
    exception when others or query_canceled then
        raise warning 'TaskRecovery: entries_sound_check is not validated: %', sqlerrm;
    end;
    begin
        alter table {schema}.waiting validate constraint waiting_sound_check;
    exception when others or query_canceled then
        raise warning 'TaskRecovery: waiting_sound_check is not validated: %', sqlerrm;
    end;
end
$validate$;
