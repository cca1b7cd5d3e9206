-- Places a batch of holds: for each request all of the asked-for units and quantities, or nothing; one round trip.
--
-- In, one entry for each request (1 to 32, in order of arrival): its hold's id, new for each attempt; the hold's owner;
-- the idempotency key with its owner, operation and fingerprint; the minutes. The other arrays name the request that
-- they belong to by its number, from 1:
--   slots   each slot of a request once, with the layout from which the caller knows its units and their pools; null
--           where no unit of the slot is wanted
--   units   each unit, those of one item beside each other, in the order in which the hold shows them
--   items   each pool of each slot of a request once: how many of it, its units among them; which of `units` they are,
--           from the first to the last (last = first - 1 for none); their booking class where it is known
-- Out, one row for each request, in their order:
--   PLACED          hold_id, created_at, expires_at, cap_at
--   REPLAYED        the same request was made before under this key: hold_id is the hold that came of it
--   KEY_REUSED      the key was used for another request
--   NO_SLOT         details = {"slot": 7}: there is no such slot
--   SLOT_CLOSED     details = {"slot": 7}: it is not sold any more, or has begun
--   LAYOUT_CHANGED  details = {"slot": 7}: it has another layout than the caller thought
--   UNITS_TAKEN     details = [{"slot": 7, "unit": "12A"}, ...]
--   NO_POOL         details = {"slot": 7, "pool": "ECONOMY"}: there is no such pool
--   NO_CLASS        details = {"slot": 7, "pool": "ECONOMY", "class": "Q"}: the pool has classes, and none like this
--   POOL_FULL       details = {"slot": 7, "pool": "ECONOMY", "class": null, "left": 1, "due": false}
--   CLASS_FULL      the same, with the class. "due" tells that expired holds still count there, or that there was room
--                   again a moment later: asked once more, it may succeed
-- Whatever is not PLACED has taken nothing and changed nothing. What is PLACED is told by facts of each slot: its seats
-- by `seat.locked`, places without a seat by `places.held`.
--
-- Each request is judged on its own, in order of arrival: what an earlier one wins counts as taken. Who wins is read
-- first, without a lock; what they win is then written in one order (keys, units by (slot, unit), holds, pools by (slot,
-- code)) in a subtransaction. Where the world has changed in between, all of that is undone, and judged again. So losers
-- write nothing, two batches do not wait for each other in a circle, and pools are locked last, once each. A slot is
-- read without a lock, and once more behind the locks of its pools.
--
-- The version of a unit is drawn in DO UPDATE, after the wait for its row, and never from excluded.
--
-- Every table is asked by its key, row by row: a plan made while a table was small must not become a scan once it has
-- grown. So there are no sequential scans, and what could become a join that begins with a table is a subquery.
CREATE OR REPLACE FUNCTION take_holds(
    p_holds uuid[], p_owners uuid[], p_key_owners text[], p_operations text[], p_keys text[], p_fingerprints bytea[],
    p_minutes int[],
    p_slot_requests int[], p_slots bigint[], p_layouts bigint[],
    p_unit_requests int[], p_unit_slots bigint[], p_units text[],
    p_item_requests int[], p_item_slots bigint[], p_item_pools text[], p_item_quantities int[], p_item_firsts int[],
    p_item_lasts int[], p_item_classes text[]
) RETURNS TABLE (
    request int, outcome text, hold_id uuid, created_at timestamptz, expires_at timestamptz, cap_at timestamptz,
    details jsonb
)
LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    c_attempts CONSTANT int := 20;
    v_now timestamptz;
    v_clear boolean;
    v_won int[];
    v_outcomes text[];
    v_details jsonb[];
    v_holds uuid[];
    v_count int;
    v_places tid[];
    v_slots bigint[];
    v_pools text[];
    v_quantities int[];
    v_classed boolean;
    v_row record;
BEGIN
    FOR v_attempt IN 1 .. c_attempts LOOP
        v_now := jetway_now();
        v_holds := p_holds;
        v_outcomes := array_fill(NULL::text, ARRAY[cardinality(p_holds)]);
        v_details := array_fill(NULL::jsonb, ARRAY[cardinality(p_holds)]);

        -- Usually everybody wins: one look at everything, in one snapshot.
        SELECT NOT EXISTS (
            SELECT FROM unnest(p_unit_slots, p_units) AS wanted (slot_id, unit)
            WHERE (
                SELECT NOT (claims.status = 'AVAILABLE' OR (claims.status = 'LOCKED' AND claims.expires_at <= v_now))
                FROM claims WHERE claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit)
        ) AND NOT EXISTS (
            SELECT FROM unnest(p_slots, p_layouts) AS wanted (slot_id, layout_id)
            WHERE (
                SELECT slots.status = 'OPEN' AND slots.starts_at > v_now
                       AND (wanted.layout_id IS NULL OR slots.layout_id = wanted.layout_id)
                FROM slots WHERE slots.id = wanted.slot_id) IS NOT TRUE
        ) AND NOT EXISTS (
            SELECT FROM unnest(p_key_owners, p_operations, p_keys) AS asked (owner, operation, key)
            WHERE (
                SELECT true FROM idempotency_keys AS known
                WHERE known.owner = asked.owner AND known.operation = asked.operation AND known.key = asked.key)
        ) AND NOT EXISTS (
            SELECT FROM (
                SELECT slot_id, pool COLLATE "C" AS pool, sum(quantity) AS quantity
                FROM unnest(p_item_slots, p_item_pools, p_item_quantities) AS item (slot_id, pool, quantity)
                GROUP BY 1, 2
            ) AS wanted
            WHERE (
                SELECT pools.held + pools.sold + wanted.quantity <= pools.authorised - pools.blocked
                FROM pools WHERE pools.slot_id = wanted.slot_id AND pools.code = wanted.pool) IS NOT TRUE
        ) AND NOT EXISTS (SELECT FROM unnest(p_item_classes) AS class WHERE class IS NOT NULL)
        AND (
            SELECT count(*) = count(DISTINCT (slot_id, unit COLLATE "C"))
            FROM unnest(p_unit_slots, p_units) AS wanted (slot_id, unit)
        ) AND (
            SELECT count(*) = count(DISTINCT (key COLLATE "C", owner COLLATE "C", operation COLLATE "C"))
            FROM unnest(p_key_owners, p_operations, p_keys) AS asked (owner, operation, key)
        ) INTO v_clear;

        IF v_clear THEN
            v_won := ARRAY(SELECT generate_subscripts(p_holds, 1));
        ELSE
            v_won := '{}';
            -- Later answers replace earlier ones. Keys are read last and answered first: whoever repeats a request gets
            -- its first answer, even where its own hold is what stands in the way now.
            FOR v_row IN
                SELECT wanted.request, jsonb_agg(
                    jsonb_build_object('slot', wanted.slot_id, 'unit', wanted.unit) ORDER BY wanted.n) AS taken
                FROM unnest(p_unit_requests, p_unit_slots, p_units)
                    WITH ORDINALITY AS wanted (request, slot_id, unit, n)
                WHERE (
                    SELECT NOT (claims.status = 'AVAILABLE'
                                OR (claims.status = 'LOCKED' AND claims.expires_at <= v_now))
                    FROM claims WHERE claims.slot_id = wanted.slot_id AND claims.unit = wanted.unit)
                GROUP BY wanted.request
            LOOP
                v_outcomes[v_row.request] := 'UNITS_TAKEN';
                v_details[v_row.request] := v_row.taken;
            END LOOP;
            FOR v_row IN
                SELECT wanted.request, wanted.slot_id, coalesce((
                    SELECT CASE
                        WHEN slots.status <> 'OPEN' OR slots.starts_at <= v_now THEN 'SLOT_CLOSED'
                        WHEN wanted.layout_id IS NULL OR slots.layout_id = wanted.layout_id THEN 'OPEN'
                        ELSE 'LAYOUT_CHANGED' END
                    FROM slots WHERE slots.id = wanted.slot_id), 'NO_SLOT') AS outcome
                FROM unnest(p_slot_requests, p_slots, p_layouts) AS wanted (request, slot_id, layout_id)
            LOOP
                CONTINUE WHEN v_row.outcome = 'OPEN';
                v_outcomes[v_row.request] := v_row.outcome;
                v_details[v_row.request] := jsonb_build_object('slot', v_row.slot_id);
            END LOOP;
            FOR v_row IN
                SELECT asked.n AS request, known.result_id, known.fingerprint = asked.fingerprint AS same
                FROM unnest(p_key_owners, p_operations, p_keys, p_fingerprints)
                    WITH ORDINALITY AS asked (owner, operation, key, fingerprint, n)
                CROSS JOIN LATERAL (
                    SELECT * FROM idempotency_keys AS kept
                    WHERE kept.owner = asked.owner AND kept.operation = asked.operation AND kept.key = asked.key LIMIT 1
                ) AS known
            LOOP
                v_outcomes[v_row.request] := CASE WHEN v_row.same THEN 'REPLAYED' ELSE 'KEY_REUSED' END;
                v_details[v_row.request] := NULL;
                v_holds[v_row.request] := v_row.result_id;
            END LOOP;

            FOR v_request IN 1 .. cardinality(p_holds) LOOP
                -- The same key twice in one batch: the second gets what came of the first.
                SELECT n, p_fingerprints[n] = p_fingerprints[v_request] AS same INTO v_row
                FROM unnest(v_won) AS n
                WHERE p_key_owners[n] = p_key_owners[v_request] AND p_operations[n] = p_operations[v_request]
                  AND p_keys[n] = p_keys[v_request];
                IF FOUND THEN
                    v_outcomes[v_request] := CASE WHEN v_row.same THEN 'REPLAYED' ELSE 'KEY_REUSED' END;
                    v_details[v_request] := NULL;
                    v_holds[v_request] := p_holds[v_row.n];
                END IF;
                CONTINUE WHEN v_outcomes[v_request] IS NOT NULL;

                SELECT jsonb_agg(jsonb_build_object('slot', mine.slot_id, 'unit', mine.unit) ORDER BY mine.n) AS taken
                INTO v_row
                FROM unnest(p_unit_requests, p_unit_slots, p_units)
                    WITH ORDINALITY AS mine (request, slot_id, unit, n)
                WHERE mine.request = v_request AND EXISTS (
                    SELECT FROM unnest(p_unit_requests, p_unit_slots, p_units) AS theirs (request, slot_id, unit)
                    WHERE theirs.request = ANY (v_won) AND theirs.slot_id = mine.slot_id AND theirs.unit = mine.unit);
                IF v_row.taken IS NOT NULL THEN
                    v_outcomes[v_request] := 'UNITS_TAKEN';
                    v_details[v_request] := v_row.taken;
                    CONTINUE;
                END IF;

                SELECT item.slot_id, item.pool, item.class, room.*, pools.code IS NULL AS no_pool,
                       item.class <> ALL (pools.classes) AND pools.classes <> '{}' AS no_class INTO v_row
                FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                    AS item (request, slot_id, pool, quantity, class)
                LEFT JOIN LATERAL (
                    SELECT * FROM pools AS here WHERE here.slot_id = item.slot_id AND here.code = item.pool LIMIT 1
                ) AS pools ON true
                CROSS JOIN LATERAL (
                    SELECT pools.authorised - pools.blocked - pools.held - pools.sold - coalesce(sum(given.n), 0)
                               AS of_pool,
                           class_room(pools.classes, pools.class_limits, pools.class_held, pools.class_sold, item.class,
                                      array_agg(given.class), array_agg(given.n)) AS of_class
                    FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                        AS given (request, slot_id, pool, n, class)
                    WHERE given.request = ANY (v_won) AND given.slot_id = item.slot_id AND given.pool = item.pool
                ) AS room
                WHERE item.request = v_request AND (
                    item.quantity <= room.of_pool
                    AND (item.class IS NULL OR pools.classes = '{}' OR item.quantity <= room.of_class)
                ) IS NOT TRUE
                ORDER BY item.slot_id, item.pool COLLATE "C" LIMIT 1;
                IF FOUND THEN
                    v_outcomes[v_request] := CASE
                        WHEN v_row.no_pool THEN 'NO_POOL'
                        WHEN v_row.no_class THEN 'NO_CLASS'
                        WHEN v_row.of_class < v_row.of_pool THEN 'CLASS_FULL'
                        ELSE 'POOL_FULL' END;
                    v_details[v_request] := jsonb_build_object(
                        'slot', v_row.slot_id, 'pool', v_row.pool, 'class', v_row.class,
                        'left', greatest(0, least(v_row.of_pool, v_row.of_class)));
                    CONTINUE;
                END IF;
                v_won := v_won || v_request;
            END LOOP;

            FOR v_row IN
                WITH due AS MATERIALIZED (
                    SELECT id FROM holds WHERE holds.status = 'ACTIVE' AND holds.expires_at <= v_now
                )
                SELECT full_.request, EXISTS (
                    SELECT FROM due WHERE (
                        SELECT true FROM hold_items
                        WHERE hold_items.hold_id = due.id AND hold_items.slot_id = full_.slot_id
                          AND hold_items.pool = full_.pool)
                ) OR EXISTS (
                    SELECT FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                        AS item (request, slot_id, pool, quantity, class)
                    CROSS JOIN LATERAL (
                        SELECT * FROM pools AS here WHERE here.slot_id = item.slot_id AND here.code = item.pool LIMIT 1
                    ) AS pools
                    CROSS JOIN LATERAL (
                        SELECT array_agg(given.class) AS names, array_agg(given.n) AS counts,
                               coalesce(sum(given.n), 0) AS n
                        FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                            AS given (request, slot_id, pool, n, class)
                        WHERE given.request = ANY (v_won) AND given.slot_id = item.slot_id AND given.pool = item.pool
                    ) AS won
                    WHERE item.request = full_.request AND item.slot_id = full_.slot_id AND item.pool = full_.pool
                      AND item.quantity <= pools.authorised - pools.blocked - pools.held - pools.sold - won.n
                      AND (item.class IS NULL OR pools.classes = '{}' OR item.quantity <= class_room(
                          pools.classes, pools.class_limits, pools.class_held, pools.class_sold, item.class,
                          won.names, won.counts))
                ) AS due
                FROM (
                    SELECT n AS request, (v_details[n] ->> 'slot')::bigint AS slot_id, v_details[n] ->> 'pool' AS pool
                    FROM generate_subscripts(p_holds, 1) AS n WHERE v_outcomes[n] IN ('POOL_FULL', 'CLASS_FULL')
                ) AS full_
            LOOP
                v_details[v_row.request] := v_details[v_row.request] || jsonb_build_object('due', v_row.due);
            END LOOP;
        END IF;

        EXIT WHEN v_won = '{}';
        BEGIN
            INSERT INTO idempotency_keys (owner, operation, key, fingerprint, result_id)
            SELECT p_key_owners[n], p_operations[n], p_keys[n], p_fingerprints[n], p_holds[n]
            FROM unnest(v_won) AS n
            ORDER BY p_key_owners[n] COLLATE "C", p_operations[n] COLLATE "C", p_keys[n] COLLATE "C"
            ON CONFLICT DO NOTHING;
            GET DIAGNOSTICS v_count = ROW_COUNT;
            IF v_count < cardinality(v_won) THEN
                RAISE EXCEPTION 'a key is known' USING ERRCODE = 'JW001';
            END IF;

            WITH got AS (
                INSERT INTO claims AS claim (slot_id, unit, status, hold_id, expires_at, version, changed_at)
                SELECT slot_id, unit, 'LOCKED', p_holds[request], v_now + make_interval(mins => p_minutes[request]),
                       nextval('claim_versions'), v_now
                FROM unnest(p_unit_requests, p_unit_slots, p_units) AS wanted (request, slot_id, unit)
                WHERE request = ANY (v_won)
                ORDER BY slot_id, unit COLLATE "C"
                ON CONFLICT (slot_id, unit) DO UPDATE
                SET status = 'LOCKED', hold_id = excluded.hold_id, expires_at = excluded.expires_at,
                    version = nextval('claim_versions'), changed_at = v_now
                WHERE claim.status = 'AVAILABLE' OR (claim.status = 'LOCKED' AND claim.expires_at <= v_now)
                RETURNING claim.slot_id, claim.unit, claim.hold_id, claim.version
            ), said AS (
                INSERT INTO facts (kind, stream, payload)
                SELECT 'seat.locked', 'slot:' || slot_id, jsonb_build_object(
                    'slot', slot_id, 'hold', hold_id,
                    'seats', jsonb_agg(jsonb_build_object('number', unit, 'status', 'LOCKED', 'version', version)))
                FROM got GROUP BY slot_id, hold_id ORDER BY slot_id, hold_id
            )
            SELECT count(*) INTO v_count FROM got;
            IF v_count < (SELECT count(*) FROM unnest(p_unit_requests) AS request WHERE request = ANY (v_won)) THEN
                RAISE EXCEPTION 'a unit is taken' USING ERRCODE = 'JW001';
            END IF;

            INSERT INTO holds (id, status, owner_id, minutes, created_at, expires_at, cap_at)
            SELECT p_holds[n], 'ACTIVE', p_owners[n], p_minutes[n], v_now,
                   v_now + make_interval(mins => p_minutes[n]), v_now + interval '30 minutes'
            FROM unnest(v_won) AS n;
            INSERT INTO hold_items (hold_id, slot_id, pool, quantity, units, booking_class)
            SELECT p_holds[request], slot_id, pool, quantity, p_units[first_:last_],
                   -- A pool without classes counts none, so none is kept to be given back.
                   CASE WHEN class IS NOT NULL THEN (
                       SELECT class FROM pools
                       WHERE pools.slot_id = item.slot_id AND pools.code = item.pool AND pools.classes <> '{}') END
            FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_firsts, p_item_lasts,
                        p_item_classes) AS item (request, slot_id, pool, quantity, first_, last_, class)
            WHERE request = ANY (v_won);

            INSERT INTO facts (kind, stream, payload)
            SELECT 'places.held', 'slot:' || slot_id, jsonb_build_object(
                'slot', slot_id, 'hold', p_holds[request],
                'places', jsonb_agg(jsonb_build_object('pool', pool, 'count', quantity - (last_ - first_ + 1))
                                    ORDER BY pool COLLATE "C"))
            FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_firsts, p_item_lasts)
                AS item (request, slot_id, pool, quantity, first_, last_)
            WHERE request = ANY (v_won) AND quantity > last_ - first_ + 1
            GROUP BY request, slot_id ORDER BY slot_id, request;

            -- All pools are locked in their order, then moved: those without classes in one statement, which finds them
            -- where they lie.
            SELECT array_agg(locked.place), array_agg(wanted.slot_id), array_agg(wanted.pool),
                   array_agg(wanted.quantity), bool_or(wanted.classed)
            INTO v_places, v_slots, v_pools, v_quantities, v_classed
            FROM (
                SELECT slot_id, pool, sum(quantity)::int AS quantity, bool_or(class IS NOT NULL) AS classed
                FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                    AS item (request, slot_id, pool, quantity, class)
                WHERE request = ANY (v_won)
                GROUP BY slot_id, pool ORDER BY slot_id, pool COLLATE "C"
            ) AS wanted
            CROSS JOIN LATERAL (
                SELECT pools.ctid AS place FROM pools
                WHERE pools.slot_id = wanted.slot_id AND pools.code = wanted.pool FOR NO KEY UPDATE
            ) AS locked;
            IF NOT v_classed THEN
                UPDATE pools SET held = held + v_quantities[array_position(v_places, pools.ctid)]
                WHERE pools.ctid = ANY (v_places)
                  AND held + sold + v_quantities[array_position(v_places, pools.ctid)] <= authorised - blocked;
                GET DIAGNOSTICS v_count = ROW_COUNT;
            ELSE
                v_count := 0;
                FOR v_index IN 1 .. cardinality(v_places) LOOP
                    SELECT array_agg(class) AS names, array_agg(quantity) AS counts INTO v_row
                    FROM unnest(p_item_requests, p_item_slots, p_item_pools, p_item_quantities, p_item_classes)
                        AS item (request, slot_id, pool, quantity, class)
                    WHERE request = ANY (v_won) AND slot_id = v_slots[v_index] AND pool = v_pools[v_index]
                      AND class IS NOT NULL;
                    UPDATE pools SET held = held + v_quantities[v_index], class_held = ARRAY(
                        SELECT here.held + coalesce(
                            (SELECT sum(given.n) FROM unnest(v_row.names, v_row.counts) AS given (name, n)
                             WHERE given.name = here.name), 0)
                        FROM unnest(classes, class_held) WITH ORDINALITY AS here (name, held, n) ORDER BY here.n)
                    WHERE pools.ctid = v_places[v_index]
                      AND held + sold + v_quantities[v_index] <= authorised - blocked
                      AND (classes = '{}' OR 0 <= ALL (ARRAY(
                          SELECT coalesce(class_room(classes, class_limits, class_held, class_sold, given.name,
                                                     v_row.names, v_row.counts), -1)
                          FROM unnest(v_row.names) AS given (name))));
                    v_count := v_count + FOUND::int;
                END LOOP;
            END IF;
            IF v_count < (SELECT count(DISTINCT (slot_id, pool COLLATE "C"))
                          FROM unnest(p_item_requests, p_item_slots, p_item_pools) AS item (request, slot_id, pool)
                          WHERE request = ANY (v_won)) THEN
                RAISE EXCEPTION 'a pool is full' USING ERRCODE = 'JW001';
            END IF;

            -- Whoever closes a slot, or gives it other seats, locks its pools before (`meet_holds`): as it is now, it
            -- stays until this is committed.
            IF EXISTS (
                SELECT FROM unnest(p_slot_requests, p_slots, p_layouts) AS wanted (request, slot_id, layout_id)
                WHERE wanted.request = ANY (v_won) AND (
                    SELECT slots.status = 'OPEN' AND slots.starts_at > v_now
                           AND (wanted.layout_id IS NULL OR slots.layout_id = wanted.layout_id)
                    FROM slots WHERE slots.id = wanted.slot_id) IS NOT TRUE
            ) THEN
                RAISE EXCEPTION 'a slot was changed' USING ERRCODE = 'JW001';
            END IF;
            EXIT;
        EXCEPTION WHEN SQLSTATE 'JW001' THEN
            IF v_attempt = c_attempts THEN
                RAISE EXCEPTION 'the world changed at each of % attempts', c_attempts USING ERRCODE = 'JW002';
            END IF;
        END;
    END LOOP;

    RETURN QUERY
    SELECT n, coalesce(v_outcomes[n], 'PLACED'), v_holds[n], v_now, v_now + make_interval(mins => p_minutes[n]),
           v_now + interval '30 minutes', v_details[n]
    FROM generate_subscripts(p_holds, 1) AS n ORDER BY n;
END $$;
