-- Tells workers that there is something to do now. A job that is for later, as the one behind a payment that is under
-- way, is no news to anybody yet: a worker looks every few seconds for what has become due. Each NOTIFY makes its
-- transaction wait for all others that notify, which is why none is sent without need.
CREATE FUNCTION fn_pgqueuer_due() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh WHERE status = 'queued' AND execute_after <= now()) THEN
        PERFORM pg_notify('ch_pgqueuer', json_build_object(
            'channel', 'ch_pgqueuer', 'operation', lower(TG_OP), 'sent_at', now(), 'table', TG_TABLE_NAME,
            'type', 'table_changed_event')::text);
    END IF;
    RETURN NULL;
END
$$;
