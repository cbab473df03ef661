// Batching on, with the sizes of graphile-worker's own performance test.
export default {
  worker: {
    connectionString: process.env.DATABASE_URL,
    taskDirectory: new URL("./tasks", import.meta.url).pathname,
    fileExtensions: [".mjs"],
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};
