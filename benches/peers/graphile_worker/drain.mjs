// Drains no-op jobs with several worker processes and prints jobs per second, start-up taken off.
//
//     DATABASE_URL=postgres://… node drain.mjs JOBS PROCESSES
import { spawn } from "node:child_process";
import { performance } from "node:perf_hooks";
import pg from "pg";

const [jobs, processes] = process.argv.slice(2).map(Number);
const folder = new URL(".", import.meta.url).pathname;
const cli = `${folder}node_modules/graphile-worker/dist/cli.js`;

const worker = (...flags) =>
  new Promise((done, failed) => {
    const options = { cwd: folder, stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, NO_LOG_SUCCESS: "1" } };
    spawn(process.execPath, [cli, ...flags], options).on("exit", (code) => (code ? failed(code) : done()));
  });

const seconds = async (body) => {
  const start = performance.now();
  await body();
  return (performance.now() - start) / 1000;
};

const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
await client.query("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
await worker("--schema-only");
const startup = await seconds(() => worker("--once"));
await client.query(
  `SELECT count(*) FROM graphile_worker.add_jobs(array(
     SELECT json_populate_record(NULL::graphile_worker.job_spec,
       json_build_object('identifier', 'noop', 'payload', json_build_object('id', i)))
     FROM generate_series(1, $1::int) i))`,
  [jobs],
);
const taken = await seconds(() => Promise.all(Array.from({ length: processes }, () => worker("--once"))));
const { rows } = await client.query("SELECT count(*)::int AS left FROM graphile_worker.jobs");
await client.end();
if (rows[0].left !== 0) throw new Error(`${rows[0].left} jobs are left`);
console.log(JSON.stringify({ jobs, processes, per_second: Math.round(jobs / (taken - startup)) }));
