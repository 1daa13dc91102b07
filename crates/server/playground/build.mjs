// Bundles the playground into ../assets/playground, one gzip file per text, beside the licences of all that went in.
//
//   node build.mjs           writes the files
//   node build.mjs --check   builds in memory and fails where the committed files differ (after decompression)
//
// Either way the sample queries are validated first if schema/schema.graphql exists.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { buildSchema, parse, validate } from "graphql";
import { licences } from "./licences.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = resolve(HERE, "../assets/playground");
const SCHEMA = resolve(HERE, "../../../schema/schema.graphql");
const SAMPLES = join(HERE, "src/samples");
const PLAIN = new Set(["index.html", "LICENSES.txt"]); // small, or to be read in the repository
const KEPT = new Set(["README.md"]); // written by hand

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  outdir: OUT,
  entryNames: "[name]",
  assetNames: "[name]",
  target: "es2022",
  charset: "utf8",
  legalComments: "none", // the notices are in LICENSES.txt
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".graphql": "text", ".ttf": "file" },
  logLevel: "warning",
};

const samplesChecked = checkSamples();
const files = await bundle();
if (process.argv.includes("--check")) check(files);
else write(files);
console.log(`samples: ${samplesChecked}`);

async function bundle() {
  const page = build({ ...COMMON, entryPoints: { app: "src/main.jsx" }, format: "esm", jsx: "automatic" });
  const workers = build({
    ...COMMON,
    entryPoints: {
      "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
      "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
      "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    },
    format: "iife",
  });
  const results = await Promise.all([page, workers]);
  const files = new Map([["index.html", readFileSync(join(HERE, "src/index.html"))]]);
  for (const { outputFiles } of results)
    for (const { path, contents } of outputFiles) files.set(relative(OUT, path), Buffer.from(contents));
  files.set("LICENSES.txt", Buffer.from(licences(HERE, results.map((result) => result.metafile))));
  return files;
}

function write(files) {
  mkdirSync(OUT, { recursive: true });
  for (const name of readdirSync(OUT)) if (!KEPT.has(name)) rmSync(join(OUT, name));
  let total = 0;
  for (const [name, body] of files) {
    const stored = PLAIN.has(name) ? body : gzipSync(body, { level: 9 });
    writeFileSync(join(OUT, storedName(name)), stored);
    total += stored.length;
    console.log(`${storedName(name).padEnd(24)} ${body.length} → ${stored.length} bytes`);
  }
  console.log(`total ${total} bytes`);
}

function check(files) {
  const expected = new Map([...files].map(([name, body]) => [storedName(name), body]));
  const found = readdirSync(OUT).filter((name) => !KEPT.has(name));
  const faults = found.filter((name) => !expected.has(name)).map((name) => `${name}: not made by the build`);
  for (const [name, body] of expected) {
    if (!found.includes(name)) faults.push(`${name}: missing`);
    else if (!body.equals(read(name))) faults.push(`${name}: differs from what the sources give`);
  }
  if (faults.length) {
    console.error(faults.join("\n") + "\nRun `npm ci && npm run build` in crates/server/playground and commit the result.");
    process.exit(1);
  }
  console.log(`${expected.size} files are what the sources give`);
}

function read(name) {
  const stored = readFileSync(join(OUT, name));
  return name.endsWith(".gz") ? gunzipSync(stored) : stored;
}

function storedName(name) {
  return PLAIN.has(name) ? name : `${name}.gz`;
}

function checkSamples() {
  const names = readdirSync(SAMPLES);
  const documents = names.map((name) => [name, parse(readFileSync(join(SAMPLES, name), "utf8"))]);
  if (!existsSync(SCHEMA)) return `${names.length} parsed; no schema to validate them against`;
  const schema = buildSchema(readFileSync(SCHEMA, "utf8"));
  const faults = documents.flatMap(([name, document]) => validate(schema, document).map((error) => `${name}: ${error.message}`));
  if (faults.length) {
    console.error(faults.join("\n"));
    process.exit(1);
  }
  return `${names.length} valid against the schema`;
}
