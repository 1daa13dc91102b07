// The examples in docs/examples, made and run as their readers would.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { creator } from "./server.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const example = path("../../docs/examples/typescript/");
// A copy as deep in the tree, where this folder's packages are found.
const copy = path("typescript/");
rmSync(copy, { recursive: true, force: true });
cpSync(example, copy, { recursive: true, filter: (from) => !/\/(node_modules|dist)(\/|$)/.test(from) });
const run = (script, ...options) => execFileSync(process.execPath, [path(`node_modules/${script}`), ...options], { cwd: copy, encoding: "utf8" });

test("the example asks for the packages that it is tried with", () => {
  const packages = (name) => JSON.parse(readFileSync(name, "utf8")).devDependencies;
  const ours = packages(path("package.json"));
  for (const [name, version] of Object.entries(packages(`${example}package.json`))) {
    assert.equal(version, ours[name], name);
  }
});

test("its types are those of the schema", () => {
  run("@graphql-codegen/cli/esm/bin.js");
  for (const file of readdirSync(`${copy}src/gql`)) {
    const [made, committed] = [copy, example].map((folder) => readFileSync(`${folder}src/gql/${file}`, "utf8"));
    assert.equal(made, committed, `run "npm run generate" in docs/examples/typescript and commit ${file}`);
  }
});

const isDashboard = (text) => assert.match(text, /^.+, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d\n {2}views +\d+[^]*\naudience,[^]*\n {2}reach +\d+ ± \d+[^]*\nbest videos\n/);

test("the TypeScript example prints a dashboard", () => {
  run("typescript/bin/tsc");
  isDashboard(execFileSync(process.execPath, ["dist/dashboard.js", creator], { cwd: copy, encoding: "utf8" }));
});

const python = process.env.THRONG_TEST_PYTHON ?? "python3";
const skip = spawnSync(python, ["--version"]).status === 0 ? false : `there is no ${python}`;
test("the Python example prints a dashboard", { skip }, () => {
  isDashboard(execFileSync(python, [path("../../docs/examples/python/dashboard.py"), creator], { encoding: "utf8" }));
});
