// Tells Monaco where its web workers are: files of our own origin beside this bundle, so that the page works offline and
// under a policy without `unsafe-eval`. Must be imported before anything that loads Monaco.
const WORKERS = {
  json: "json.worker.js",
  graphql: "graphql.worker.js",
};

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    return new Worker(new URL(WORKERS[label] ?? "editor.worker.js", import.meta.url), { name: label });
  },
};
