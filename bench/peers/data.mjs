// What the peers read and compute: the same rows of the same database as Jetway's resolvers, in as few statements,
// shaped for the same schema. Times come with their offset from SQL: cheaper than anything JavaScript has for zones.
import { createHash, createHmac, randomUUID } from "node:crypto";
import pg from "pg";

pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const CONNECTIONS = 16;
const LIFETIME_MS = 30 * 60 * 1000;
const SECRET = "the peers sign with a key of their own";
const EXPONENT = 2;

export const open = (url) => new pg.Pool({ connectionString: url, max: CONNECTIONS });

const statement = (pool, name, text) => async (...values) => (await pool.query({ name, text, values })).rows;

const LOCAL = (moment, zone) => `
  to_char(${moment} AT TIME ZONE ${zone}, 'YYYY-MM-DD"T"HH24:MI:SS')
  || replace(to_char(extract(hour FROM (${moment} AT TIME ZONE ${zone}) - (${moment} AT TIME ZONE 'UTC')), 'S00'), ' ', '')
  || ':00'`;

const DEPARTURE = `
  flights.slot_id, flights.airline_code, flights.number, flights.suffix, flights.status, flights.departs_at,
  ${LOCAL("flights.departs_at", "origin.zone")} AS departs, ${LOCAL("flights.arrives_at", "destination.zone")} AS arrives,
  (extract(epoch FROM flights.arrives_at - flights.departs_at) / 60)::int AS minutes,
  airline.name AS airline_name, aircraft.name AS aircraft_name,
  origin.iata_code AS origin_code, origin.name AS origin_name, origin.city AS origin_city,
  destination.iata_code AS destination_code, destination.name AS destination_name, destination.city AS destination_city`;

const JOINED = `
  FROM flights
  JOIN airports origin ON origin.iata_code = flights.origin_code
  JOIN airports destination ON destination.iata_code = flights.destination_code
  JOIN airlines airline ON airline.iata_code = flights.airline_code
  JOIN aircraft ON aircraft.registration = flights.registration`;

const globalId = (kind, key) => Buffer.from(`${kind}:${key}`).toString("base64url");
const keyOf = (id) => Number(Buffer.from(id, "base64url").toString().split(":")[1]);

const money = (minorUnits, currency) => ({ minorUnits, currency, amount: (minorUnits / 10 ** EXPONENT).toFixed(EXPONENT) });

const departure = (row) => ({
  __typename: "Flight",
  id: globalId("Flight", row.slot_id),
  slotId: row.slot_id,
  designator: `${row.airline_code}${row.number}${row.suffix}`,
  airline: { iataCode: row.airline_code, name: row.airline_name },
  origin: { iataCode: row.origin_code, name: row.origin_name, city: row.origin_city },
  destination: { iataCode: row.destination_code, name: row.destination_name, city: row.destination_city },
  departsAt: row.departs,
  arrivesAt: row.arrives,
  durationMinutes: row.minutes,
  status: row.status,
  aircraft: { name: row.aircraft_name },
});

const linesOf = (fare, charges, party) => {
  const share = (basisPoints) => Math.round((fare.amount * basisPoints) / 10_000);
  const kinds = [
    ["adult", party.adults, fare.amount],
    ["child", party.children ?? 0, share(fare.child_basis_points)],
    ["infant", party.infants ?? 0, share(fare.infant_basis_points)],
  ];
  const lines = kinds
    .filter(([, count]) => count > 0)
    .map(([kind, count, each]) => ({ kind: "FARE", label: `${fare.name} fare, ${count} × ${kind}`, minor: each * count }));
  const fares = lines.reduce((sum, line) => sum + line.minor, 0);
  const seated = party.adults + (party.children ?? 0);
  for (const charge of charges) {
    const minor = charge.basis === "FARE" ? Math.round((fares * charge.basis_points) / 10_000) : charge.amount * seated;
    lines.push({ kind: charge.kind, label: charge.label, minor });
  }
  return lines;
};

const sign = (payload) => {
  const text = Buffer.from(JSON.stringify(payload)).toString("base64url");
  return `1.${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
};

const offer = ({ flight, fare, lines, left, party }) => {
  const expires = new Date(Date.now() + LIFETIME_MS);
  const total = lines.reduce((sum, line) => sum + line.minor, 0);
  const payload = { x: expires.getTime(), p: party, s: flight.slotId, f: fare.family_code, l: lines, c: fare.currency };
  return {
    id: sign(payload),
    expiresAt: expires.toISOString(),
    seatsLeft: left,
    total: money(total, fare.currency),
    lines: lines.map((line) => ({ kind: line.kind, label: line.label, amount: money(line.minor, fare.currency) })),
    fareFamily: {
      name: fare.name, refundable: fare.refundable, changeable: fare.changeable, checkedBags: fare.checked_bags,
    },
    slices: [{
      origin: flight.origin, destination: flight.destination, departsAt: flight.departsAt, arrivesAt: flight.arrivesAt,
      durationMinutes: flight.durationMinutes, stops: 0,
      segments: [{ cabin: fare.cabin, bookingClass: fare.booking_class, flight }],
    }],
  };
};

// The resolvers that both peers use, over one pool of connections.
export const resolvers = (pool) => {
  const airport = statement(pool, "airport", "SELECT iata_code FROM airports WHERE iata_code = $1");
  const lastDay = statement(pool, "last-day", "SELECT max(local_date) AS day FROM flights");
  const charges = statement(pool, "charges", "SELECT * FROM charges ORDER BY code");
  const fares = statement(pool, "fares", `
    SELECT fares.*, family.name, family.cabin, family.booking_class, family.refundable, family.changeable,
           family.checked_bags, family.child_basis_points, family.infant_basis_points
    FROM fares JOIN fare_families family ON family.code = fares.family_code
    WHERE origin_code = $1 AND destination_code = $2 AND valid_from <= $3 AND valid_until >= $3 AND family.cabin = $4
    ORDER BY fares.amount, family.code`);
  const onSale = statement(pool, "on-sale", `
    SELECT ${DEPARTURE}, pools.authorised - pools.held - pools.sold AS left ${JOINED}
    JOIN slots ON slots.id = flights.slot_id
    JOIN pools ON pools.slot_id = flights.slot_id AND pools.code = $4
    WHERE flights.origin_code = $1 AND flights.destination_code = $2 AND flights.local_date = $3
      AND slots.status = 'OPEN' AND slots.starts_at > (SELECT jetway_now())
      AND pools.authorised - pools.held - pools.sold >= $5
    ORDER BY flights.departs_at, flights.slot_id`);
  const bySlot = statement(pool, "by-slot", `SELECT ${DEPARTURE} ${JOINED} WHERE flights.slot_id = $1`);
  const layoutOf = statement(pool, "layout", "SELECT layout_id FROM slots WHERE id = $1");
  const head = statement(pool, "head", "SELECT position FROM relay_heads");
  const sections = statement(pool, "sections", "SELECT sections FROM layouts WHERE id = $1");
  const units = statement(pool, "units", `
    SELECT * FROM layout_units WHERE layout_id = $1 ORDER BY row_number, column_letter`);
  const taken = statement(pool, "taken", `
    SELECT unit, version,
           CASE WHEN status = 'LOCKED' AND expires_at <= jetway_now() THEN 'AVAILABLE' ELSE status END AS status
    FROM claims WHERE slot_id = $1`);
  const seatCharges = statement(pool, "seat-charges", "SELECT * FROM seat_charges");

  const take = statement(pool, "take", `
    SELECT outcome, hold_id, expires_at, details
    FROM take_holds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`);

  // Layouts never change: each process reads one once, as Jetway does.
  const plans = new Map();
  const planOf = async (layoutId) => {
    if (!plans.has(layoutId)) {
      const [[layout], seats] = await Promise.all([sections(layoutId), units(layoutId)]);
      plans.set(layoutId, { sections: layout.sections, seats });
    }
    return plans.get(layoutId);
  };

  const flightSearch = async (_, { input, first }) => {
    const [{ origin, destination, date }] = input.slices;
    const party = input.passengers;
    const cabin = input.cabin ?? "ECONOMY";
    await Promise.all([airport(origin), airport(destination), lastDay()]);
    const [tariff, added] = await Promise.all([fares(origin, destination, date, cabin), charges()]);
    const seated = party.adults + (party.children ?? 0);
    const flights = await onSale(origin, destination, date, cabin, seated);
    const priced = tariff.map((fare) => {
      const lines = linesOf(fare, added, party);
      return { fare, lines, total: lines.reduce((sum, line) => sum + line.minor, 0) };
    });
    const found = flights.flatMap((row) => priced.map((one) => ({ row, ...one })));
    found.sort((a, b) => a.total - b.total || a.row.slot_id - b.row.slot_id || (a.fare.family_code < b.fare.family_code ? -1 : 1));
    const edges = found.slice(0, first).map(({ row, fare, lines, total }) => ({
      cursor: Buffer.from(JSON.stringify([total, row.slot_id, fare.family_code])).toString("base64url"),
      node: offer({ flight: departure(row), fare, lines, left: row.left, party }),
    }));
    return {
      totalCount: found.length, pricedAt: new Date().toISOString(), edges,
      pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null },
    };
  };

  const flight = async (_, { id }) => {
    const [row] = await bySlot(keyOf(id));
    return row ? departure(row) : null;
  };

  const seatMap = async ({ slotId }) => {
    const [{ layout_id: layoutId }] = await layoutOf(slotId);
    const [plan, [{ position }]] = [await planOf(layoutId), await head()];
    const [claims, costs] = await Promise.all([taken(slotId), seatCharges()]);
    const states = new Map(claims.map((claim) => [claim.unit, claim]));
    const legroom = new Map(costs.map((cost) => [cost.cabin, cost]));
    const cabins = plan.sections.map(({ section }) => {
      const cost = legroom.get(section);
      const rows = new Map();
      for (const seat of plan.seats) {
        if (seat.section !== section) continue;
        if (!rows.has(seat.row_number)) rows.set(seat.row_number, { number: seat.row_number, exitRow: false, seats: [] });
        const row = rows.get(seat.row_number);
        const state = states.get(seat.unit);
        row.exitRow ||= seat.exit_row;
        row.seats.push({
          number: seat.unit, column: seat.column_letter, position: seat.position, extraLegroom: seat.extra_legroom,
          status: state?.status ?? "AVAILABLE", version: state?.version ?? 0,
          price: cost ? money(seat.extra_legroom ? cost.extra_legroom : 0, cost.currency) : null,
        });
      }
      return { cabin: section, rows: [...rows.values()] };
    });
    return { cursor: globalId("Cursor", position), cabins };
  };

  // Which layout a slot has is known once it was asked, as in Jetway; the function checks it.
  const layouts = new Map();
  const layoutIdOf = async (slotId) => {
    if (!layouts.has(slotId)) layouts.set(slotId, (await layoutOf(slotId))[0].layout_id);
    return layouts.get(slotId);
  };

  // One call of the function that Jetway calls for each request; Jetway sends it many requests at once.
  const holdSeats = async (_, { input }) => {
    const slots = [], layoutIds = [], unitSlots = [], units = [], items = [];
    for (const { flightId, seats } of input.flights) {
      const slotId = keyOf(flightId);
      const layoutId = await layoutIdOf(slotId);
      const { seats: known } = await planOf(layoutId);
      slots.push(slotId);
      layoutIds.push(layoutId);
      const pools = new Map();
      for (const seat of seats) {
        const { section } = known.find((one) => one.unit === seat);
        pools.set(section, [...(pools.get(section) ?? []), seat]);
      }
      for (const [section, chosen] of pools) {
        items.push({ slotId, section, first: units.length + 1, last: units.length + chosen.length });
        for (const seat of chosen) { unitSlots.push(slotId); units.push(seat); }
      }
    }
    const fingerprint = createHash("sha256").update(JSON.stringify(input)).digest();
    const ones = (list) => list.map(() => 1);
    const [row] = await take(
      [randomUUID()], [null], ["guest"], ["hold_seats"], [input.idempotencyKey], [fingerprint], [input.minutes],
      ones(slots), slots, layoutIds, ones(units), unitSlots, units, ones(items), items.map((one) => one.slotId),
      items.map((one) => one.section), items.map((one) => one.last - one.first + 1), items.map((one) => one.first),
      items.map((one) => one.last), items.map(() => null));
    if (row.outcome !== "PLACED") return { __typename: "SeatsTaken", code: "SEATS_TAKEN", message: row.outcome, taken: [] };
    return {
      __typename: "Hold",
      id: globalId("Hold", row.hold_id),
      token: sign({ hold: row.hold_id }),
      expiresAt: row.expires_at.toISOString(),
      flights: input.flights.map(({ flightId, seats }) => ({ flight: { id: flightId }, seats })),
    };
  };

  return { Query: { flightSearch, flight }, Mutation: { holdSeats }, Flight: { seatMap } };
};
