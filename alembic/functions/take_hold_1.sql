-- Places a hold: all of the asked-for units and quantities, or nothing; one round trip.
--
-- In: one entry of p_slots, p_units for each unit; one of p_item_slots, p_item_pools, p_item_quantities for each pool of
-- each slot, whose quantity counts the units among it. The caller has checked that the units are of the slots' layouts
-- and which pool counts them.
-- Out, one row: outcome, the hold, its deadline, and details:
--   PLACED       the hold is placed
--   REPLAYED     the same request was made before under this key: hold_id is the hold that came of it
--   KEY_REUSED   the key was used for another request
--   UNITS_TAKEN  details = [{"slot": 7, "unit": "12A"}, ...]: nothing was taken
--   POOL_FULL    details = {"slot": 7, "pool": "ECONOMY"}: nothing was taken; expired holds may still count there
--   SLOT_CLOSED  details = [7]: nothing was taken
--
-- Locks: the key, then units by (slot, unit), then pools by (slot, code). A refusal after the first write is undone by
-- the subtransaction. The version of a unit is drawn in DO UPDATE, after the wait for its row, and never from excluded.
CREATE FUNCTION take_hold(
    p_hold uuid, p_owner uuid, p_key_owner text, p_key text, p_fingerprint bytea, p_minutes int,
    p_slots bigint[], p_units text[],
    p_item_slots bigint[], p_item_pools text[], p_item_quantities int[]
) RETURNS TABLE (outcome text, hold_id uuid, expires_at timestamptz, details jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_now timestamptz := jetway_now();
    v_deadline timestamptz := v_now + make_interval(mins => p_minutes);
    v_taken jsonb;
    v_full jsonb;
    v_known record;
    v_item record;
BEGIN
    SELECT jsonb_agg(DISTINCT slots.id) INTO v_taken
    FROM slots WHERE slots.id = ANY (p_item_slots) AND slots.status <> 'OPEN';
    IF v_taken IS NOT NULL THEN
        outcome := 'SLOT_CLOSED';
        details := v_taken;
    ELSE
        -- A loser is told so before anything is written. Winners are decided below.
        SELECT jsonb_agg(jsonb_build_object('slot', claims.slot_id, 'unit', claims.unit)) INTO v_taken
        FROM unnest(p_slots, p_units) AS wanted (slot_id, unit)
        JOIN claims ON claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit
        WHERE NOT (claims.status = 'AVAILABLE' OR (claims.status = 'LOCKED' AND claims.expires_at <= v_now));
        IF v_taken IS NOT NULL THEN
            outcome := 'UNITS_TAKEN';
            details := v_taken;
        ELSE
            BEGIN
                INSERT INTO idempotency_keys (owner, operation, key, fingerprint, result_id)
                VALUES (p_key_owner, 'holdSeats', p_key, p_fingerprint, p_hold)
                ON CONFLICT DO NOTHING;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'key known' USING ERRCODE = 'JW003';
                END IF;

                WITH got AS (
                    INSERT INTO claims AS claim (slot_id, unit, status, hold_id, expires_at, version, changed_at)
                    SELECT slot_id, unit, 'LOCKED', p_hold, v_deadline, nextval('claim_versions'), v_now
                    FROM unnest(p_slots, p_units) AS wanted (slot_id, unit)
                    ORDER BY slot_id, unit COLLATE "C"
                    ON CONFLICT (slot_id, unit) DO UPDATE
                    SET status = 'LOCKED', hold_id = p_hold, expires_at = v_deadline,
                        version = nextval('claim_versions'), changed_at = v_now
                    WHERE claim.status = 'AVAILABLE' OR (claim.status = 'LOCKED' AND claim.expires_at <= v_now)
                    RETURNING claim.slot_id, claim.unit, claim.version
                ), said AS (
                    INSERT INTO facts (kind, stream, payload)
                    SELECT 'seat.locked', 'slot:' || slot_id, jsonb_build_object(
                        'slot', slot_id, 'hold', p_hold,
                        'seats', jsonb_agg(jsonb_build_object('number', unit, 'status', 'LOCKED', 'version', version)))
                    FROM got GROUP BY slot_id ORDER BY slot_id
                )
                SELECT jsonb_agg(jsonb_build_object('slot', wanted.slot_id, 'unit', wanted.unit)) INTO v_taken
                FROM unnest(p_slots, p_units) AS wanted (slot_id, unit)
                LEFT JOIN got ON got.slot_id = wanted.slot_id AND got.unit = wanted.unit
                WHERE got.unit IS NULL;
                IF v_taken IS NOT NULL THEN
                    RAISE EXCEPTION 'units taken' USING ERRCODE = 'JW001';
                END IF;

                INSERT INTO holds (id, status, owner_id, minutes, created_at, expires_at, cap_at)
                VALUES (p_hold, 'ACTIVE', p_owner, p_minutes, v_now, v_deadline, v_now + interval '30 minutes');
                INSERT INTO hold_items (hold_id, slot_id, pool, quantity, units)
                SELECT p_hold, item.slot_id, item.pool, item.quantity,
                       ARRAY(SELECT wanted.unit FROM unnest(p_slots, p_units) AS wanted (slot_id, unit)
                             JOIN slots ON slots.id = wanted.slot_id
                             JOIN layout_units AS place
                               ON place.layout_id = slots.layout_id AND place.unit = wanted.unit
                             WHERE wanted.slot_id = item.slot_id AND place.section = item.pool
                             ORDER BY place.row_number, place.column_letter)
                FROM unnest(p_item_slots, p_item_pools, p_item_quantities) AS item (slot_id, pool, quantity);

                FOR v_item IN
                    SELECT slot_id, pool, quantity
                    FROM unnest(p_item_slots, p_item_pools, p_item_quantities) AS item (slot_id, pool, quantity)
                    ORDER BY slot_id, pool COLLATE "C"
                LOOP
                    UPDATE pools SET held = held + v_item.quantity
                    WHERE pools.slot_id = v_item.slot_id AND pools.code = v_item.pool
                      AND held + sold + v_item.quantity <= authorised;
                    IF NOT FOUND THEN
                        v_full := jsonb_build_object('slot', v_item.slot_id, 'pool', v_item.pool);
                        RAISE EXCEPTION 'pool full' USING ERRCODE = 'JW002';
                    END IF;
                END LOOP;

                outcome := 'PLACED';
                hold_id := p_hold;
                expires_at := v_deadline;
                RETURN NEXT;
                RETURN;
            EXCEPTION
                WHEN SQLSTATE 'JW003' THEN
                    NULL; -- the answer for a known key is given below
                WHEN SQLSTATE 'JW001' THEN
                    outcome := 'UNITS_TAKEN';
                    details := v_taken;
                WHEN SQLSTATE 'JW002' THEN
                    outcome := 'POOL_FULL';
                    details := v_full;
            END;
        END IF;
    END IF;

    -- Whoever repeats a request must get its first answer, even where its own hold is what now stands in the way.
    SELECT known.fingerprint, known.result_id, holds.expires_at INTO v_known
    FROM idempotency_keys AS known JOIN holds ON holds.id = known.result_id
    WHERE known.owner = p_key_owner AND known.operation = 'holdSeats' AND known.key = p_key;
    IF FOUND THEN
        outcome := CASE WHEN v_known.fingerprint = p_fingerprint THEN 'REPLAYED' ELSE 'KEY_REUSED' END;
        hold_id := v_known.result_id;
        expires_at := v_known.expires_at;
        details := NULL;
    END IF;
    RETURN NEXT;
END $$;
