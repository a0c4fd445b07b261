// Appends to @event-driven-io/emmett-postgresql, one event per command, from promises (clients) of one process.
// node emmett.js DSN new|hot CLIENTS SECONDS [POOL=10]
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';

const [dsn, kase, clients, seconds, size = 10] = process.argv.slice(2);
const event = { type: 'Changed', data: { data: 'x'.repeat(245) } }; // 256 bytes as JSON

const pool = new pg.Pool({ connectionString: dsn, max: Math.min(Number(size), Number(clients)), idleTimeoutMillis: 0 });
const store = getPostgreSQLEventStore(dsn, { connectionOptions: { pool }, schema: { autoMigration: 'None' } });

// The schema, once and over a connection of its own; afterwards every connection is opened before the clock starts.
const setup = getPostgreSQLEventStore(dsn);
await setup.schema.migrate();
await setup.close();
const opened = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
for (const connection of opened) connection.release();

const started = performance.now();
const deadline = started + Number(seconds) * 1000;

// 0n, not STREAM_DOES_NOT_EXIST: this store takes the latter for "no check" (see its toExpectedVersion).
const append = (stream, expectedStreamVersion) => store.appendToStream(stream, [event], { expectedStreamVersion });

const cases = {
  new: async () => {
    let count = 0;
    for (; performance.now() < deadline; count++) await append(`bench-${randomUUID()}`, 0n);
    return count;
  },
  hot: async () => {
    const stream = `bench-${randomUUID()}`;
    let version = 0n;
    while (performance.now() < deadline) version = (await append(stream, version)).nextExpectedStreamVersion;
    return Number(version);
  },
};

const counts = await Promise.all(Array.from({ length: Number(clients) }, cases[kase]));
const elapsed = (performance.now() - started) / 1000;
await store.close();
await pool.end();
console.log(JSON.stringify({
  case: kase, clients: Number(clients), events: counts.reduce((sum, count) => sum + count, 0), seconds: Number(elapsed.toFixed(3)),
}));
