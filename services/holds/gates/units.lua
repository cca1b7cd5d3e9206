-- Taking, keeping and giving back units for many attempts at once. Each attempt succeeds or fails as a whole and alone.
--
-- KEYS: the keys of all units, attempt after attempt. The value of a key is the id of the hold that has the unit.
-- ARGV: 'take', 'keep' or 'give'; then, in one text and parted by spaces, three for each attempt: its hold's id,
-- milliseconds, how many of the keys.
-- Answers a text with one digit for each attempt: 1 where it was done, 0 where not. One text either way, since a client
-- spends its time on the number of values that it sends and reads.
--
-- take: all units that are nobody's or its own, or none: SET NX PX over a set.
-- keep: PostgreSQL says that they are its own: the same key lives on (never SETNX, which would fail on it, and never
--       DEL and SET); whatever a stranger wrote there is overwritten.
-- give: deletes those that are its own still, and no others.

local function owner(key)
  -- A key that is no string has a stranger as its owner: pcall answers a table with the error, which equals no id.
  return redis.pcall('GET', key)
end

local function all_free(hold, first, last)
  for k = first, last do
    local other = owner(KEYS[k])
    if other and other ~= hold then
      return false
    end
  end
  return true
end

local actions = {}

function actions.take(hold, milliseconds, first, last)
  if not all_free(hold, first, last) then
    return 0
  end
  for k = first, last do
    redis.call('SET', KEYS[k], hold, 'PX', milliseconds)
  end
  return 1
end

function actions.keep(hold, milliseconds, first, last)
  for k = first, last do
    if owner(KEYS[k]) == hold then
      redis.call('PEXPIRE', KEYS[k], milliseconds)
    else
      redis.call('SET', KEYS[k], hold, 'PX', milliseconds)
    end
  end
  return 1
end

function actions.give(hold, _, first, last)
  for k = first, last do
    if owner(KEYS[k]) == hold then
      redis.call('DEL', KEYS[k])
    end
  end
  return 1
end

local act = actions[ARGV[1]]
local done, first = {}, 1
for hold, milliseconds, count in string.gmatch(ARGV[2], '(%S+) (%d+) (%d+)') do
  local last = first + tonumber(count) - 1
  done[#done + 1] = act(hold, milliseconds, first, last)
  first = last + 1
end
return table.concat(done)
