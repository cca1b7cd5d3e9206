-- Whoever closes a slot, puts it off or gives it other seats waits for the holds that are being placed on it, and sees
-- them; and those that are placed later see what it did: `take_holds` looks at a slot again once it has locked its pools,
-- as is done here. So a slot is locked before its pools, and several slots by id. A lock on the slot itself, taken for
-- each hold, would be a write to its row.
CREATE FUNCTION meet_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM pools WHERE pools.slot_id = NEW.id ORDER BY pools.code COLLATE "C" FOR NO KEY UPDATE;
    RETURN NEW;
END
$$;
CREATE TRIGGER meet_holds BEFORE UPDATE OF status, layout_id, starts_at ON slots FOR EACH ROW
WHEN (ROW(OLD.status, OLD.layout_id, OLD.starts_at) IS DISTINCT FROM ROW(NEW.status, NEW.layout_id, NEW.starts_at))
EXECUTE FUNCTION meet_holds();
