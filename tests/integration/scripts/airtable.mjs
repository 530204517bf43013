// Airtable's scripting objects, as far as our scripts use them: one script, one world given as JSON, everything said printed.

import { readFile } from "node:fs/promises";

const [, , file, given] = process.argv;
const world = JSON.parse(given);
const told = { said: [], set: {}, asked: [], calls: 0, settings: [], failed: null };
const AsyncFunction = (async () => {}).constructor;

async function send(url, request) {
    told.calls += 1;
    return fetch(url, request);
}

function setting(type) {
    return (key, options) => {
        told.settings.push({ key, type, ...options });
        return { key };
    };
}

function config(description) {
    if (world.automation) {
        return { ...world.variables };
    }
    const keys = description.items.map((each) => each.key);
    return Object.fromEntries(keys.map((key) => [key, world.settings[key]]));
}
config.text = setting("text");
config.select = setting("select");

const extension = {
    input: {
        config,
        async recordAsync(label, table) {
            told.asked.push(label);
            return world.record === null ? null : { id: world.record, table: table.name };
        },
        async buttonsAsync(label, options) {
            told.asked.push(label);
            const names = options.map((each) => (typeof each === "string" ? each : each.label));
            return names.find((each) => each === world.press) ?? names[names.length - 1];
        },
    },
    output: { markdown: (text) => told.said.push(text) },
    base: { getTable: (name) => ({ name }) },
    remoteFetchAsync: send,
    setTimeout: (done) => setImmediate(done), // nobody waits in a test
};

const automation = {
    input: { config, secret: (name) => world.secrets[name] },
    output: { set: (name, value) => (told.set[name] = value) },
    console: { log: (text) => told.said.push(text) },
    fetch: send,
};

const here = world.automation ? automation : extension;
// What the one place has and the other has not is undefined there; so is all of node's that Airtable lacks.
const names = ["input", "output", "base", "remoteFetchAsync", "fetch", "console", "setTimeout", "process", "require"];
try {
    await new AsyncFunction(...names, await readFile(file, "utf8"))(...names.map((name) => here[name]));
} catch (problem) {
    told.failed = problem.message;
}
process.stdout.write(JSON.stringify(told));
