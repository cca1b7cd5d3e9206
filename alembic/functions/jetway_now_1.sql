-- The clock by which every deadline is decided. Volatile, because two moments of one transaction differ; where an index
-- is to be used, ask for it once: (SELECT jetway_now()).
CREATE FUNCTION jetway_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS
$$ SELECT clock_timestamp() $$;
