-- Draws `p_count` serials of tickets that follow one another, and returns the first; the first alone for less than two.
--
-- A sequence gives one number at a time, and others would draw between two of them. The lock is held for these draws
-- alone, not to the end of the transaction: whoever has it waits for nobody.
CREATE FUNCTION draw_serials(p_count int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    c_lock CONSTANT bigint := 7403122031;
    v_first bigint;
BEGIN
    PERFORM pg_advisory_lock(c_lock);
    v_first := nextval('ticket_serials');
    PERFORM nextval('ticket_serials') FROM generate_series(2, p_count);
    PERFORM pg_advisory_unlock(c_lock);
    RETURN v_first;
END
$$;
