// Changeover: Run now
//
// Run the whole cycle now; with an automation's name in body, only that one.
//
// As a button: paste this into a Scripting extension, fill in its settings, and let the button field run it.
// In an automation: the action "Run script" with the secret apiKey and the input variables
// server and environment. The key lies in those settings, never in this text.

const WANTED = {
    "title": "Run now",
    "path": "runs",
    "needsRecord": false,
    "body": {},
    "shown": {
        "id": "Run"
    },
    "zone": "America/Phoenix",
    "follow": true,
    "lookSeconds": 5
};

// ---- the same in all scripts from here on ----

const REMEDIES = {
    "no_service_time": "Fill in the Check-out Date, or correct Custom Service Time.",
    "no_property": "Link the row to its property in Property ID.",
    "no_hcp_customer": "Link the property to its customer, and give the customer its HCP Customer ID (cus_…).",
    "no_hcp_address": "Give the property its HCP Address ID (adr_…).",
    "address_mismatch": "Compare HCP Customer ID and HCP Address ID of the property with Housecall Pro.",
    "no_template": "Give the property the id of a template job that has line items (job_…).",
    "not_eligible": "Change what the sentence names; if it is right so, nothing is to be done.",
    "multi_visit": "The job has several visits: move the right one in Housecall Pro.",
    "not_found": "Look whether the row, its job or the run is still there.",
    "unauthorized": "Put the right key, or the link's right token, into the script or button.",
    "wrong_environment": "Use the key and the address of the same environment, dev or prod.",
    "stopped": "Changeover was stopped by a person; ask who, then try again after `resume`.",
    "busy": "Try again in a few seconds; the same request gets the answer of the one under way.",
    "rate_limited": "Wait a little, then try again.",
    "hcp_error": "Try again; if it stays, look into Housecall Pro. No second job is made.",
    "airtable_error": "Try again; if it stays, look at the status page of Airtable.",
    "bad_request": "The script and the server do not fit together: install the script of this release.",
    "internal_error": "Tell who runs Changeover, with the request id."
};
const TRIES = 8; // a busy server is asked again; the same request gets the answer of the one under way

const inAutomation = typeof remoteFetchAsync === "undefined";
const settings = inAutomation
    ? { ...input.config(), apiKey: input.secret("apiKey") }
    : input.config({
          title: `Changeover: ${WANTED.title}`,
          description: "Where Changeover runs, and its key for this base.",
          items: [
              input.config.text("server", { label: "Server", description: "https://… without anything behind it" }),
              input.config.select("environment", {
                  label: "Environment",
                  options: [{ value: "prod", label: "prod" }, { value: "dev", label: "dev" }],
              }),
              input.config.text("apiKey", { label: "API key", description: "API_KEY of this environment" }),
          ],
      });

function say(text) {
    inAutomation ? console.log(text) : output.markdown(text);
}

function escaped(text) {
    return inAutomation ? String(text) : String(text).replace(/[\\`*_{}[\]<>#|~]/g, "\\$&");
}

function address(path) {
    const server = String(settings.server || "").trim().replace(/\/+$/, "");
    const isLocal = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(server);
    if (!isLocal && !/^https:\/\/[^\s/]+$/.test(server)) {
        throw new Error("The setting Server must be an address such as https://changeover.example, and nothing more.");
    }
    if (!["dev", "prod"].includes(settings.environment)) {
        throw new Error("The setting Environment must be dev or prod.");
    }
    return `${server}/api/${settings.environment}/${path}`;
}

async function call(method, path, body) {
    const request = { method, headers: { "X-API-Key": String(settings.apiKey || ""), "Content-Type": "application/json" } };
    if (body !== undefined) {
        request.body = JSON.stringify(body);
    }
    const url = address(path);
    const response = inAutomation ? await fetch(url, request) : await remoteFetchAsync(url, request);
    const text = await response.text();
    try {
        return { status: response.status, answer: JSON.parse(text) };
    } catch {
        const error = `The server answered ${response.status} with something that is no answer of Changeover.`;
        return { status: response.status, answer: { success: false, code: "internal_error", error } };
    }
}

async function asked(method, path, body) {
    for (let tries = 1; ; tries += 1) {
        const { status, answer } = await call(method, path, body);
        const again = status === 503 && answer.code === "busy" && tries < TRIES && !inAutomation;
        if (!again) {
            return answer;
        }
        say("_Still under way …_");
        await pause(2);
    }
}

function tell(answer) {
    if (inAutomation) {
        output.set("success", answer.success === true);
        output.set("code", answer.code || "");
    }
    if (answer.success !== true) {
        say(`❌ **${escaped(answer.code)}**: ${escaped(answer.error)}`);
        say(escaped(REMEDIES[answer.code] || "Tell who runs Changeover."));
        if (answer.request_id) {
            say(`Request ${escaped(answer.request_id)}`);
        }
        return;
    }
    say(`${mark(answer.state)} ${WANTED.title}: ${escaped(answer.state || "done")}`);
    for (const each of (answer.runs || []).filter((each) => each.error)) {
        say(`${escaped(each.automation)}: ${escaped(each.error.message || each.error.code)}`);
    }
    for (const [name, label] of Object.entries(WANTED.shown)) {
        if (answer[name] !== null && answer[name] !== undefined && answer[name] !== "") {
            const value = answer[name];
            say(`${label}: ${escaped(typeof value === "object" ? JSON.stringify(value) : local(name, value))}`);
        }
    }
}

function mark(state) {
    if (state === undefined || state === "succeeded") {
        return "✅";
    }
    return ["queued", "running", "partial", "disabled", "not_configured"].includes(state) ? "⚠️" : "❌";
}

function local(name, value) {
    return name === "scheduledTime"
        ? new Date(value).toLocaleString("en-US", { timeZone: WANTED.zone, dateStyle: "medium", timeStyle: "short" })
        : value;
}

async function recordId() {
    if (inAutomation) {
        return String(settings.recordId || "");
    }
    const record = await input.recordAsync("Which row?", base.getTable("Reservations"));
    return record === null ? "" : record.id;
}

async function confirmed() {
    if (!WANTED.question) {
        return true;
    }
    if (inAutomation) {
        return settings.confirmed === true || settings.confirmed === "yes";
    }
    return (await input.buttonsAsync(WANTED.question, [{ label: "Yes", variant: "danger" }, "No"])) === "Yes";
}

async function run() {
    const body = { ...WANTED.body };
    if (WANTED.needsRecord) {
        body.recordId = await recordId();
        if (!body.recordId) {
            say("No row was chosen; nothing was done.");
            return;
        }
    }
    if (!(await confirmed())) {
        say("Not confirmed; nothing was done.");
        return;
    }
    const answer = await asked("POST", WANTED.path, body);
    if (answer.success !== true || !WANTED.follow || inAutomation) {
        tell(answer);
        return;
    }
    say(`Queued as ${escaped(answer.id)}.`);
    tell(await ended(answer.id));
}

async function ended(id) {
    const deadline = Date.now() + 10 * 60 * 1000;
    for (;;) {
        const answer = await asked("GET", `runs/${id}`);
        if (answer.success !== true || !["queued", "running"].includes(answer.state) || Date.now() > deadline) {
            return answer;
        }
        await pause(WANTED.lookSeconds);
    }
}

function pause(seconds) {
    return new Promise((done) => setTimeout(done, seconds * 1000));
}

try {
    await run();
} catch (problem) {
    // An error's text may hold the address, never the key: headers are in no message.
    say(`❌ ${escaped(problem.message)}`);
    if (inAutomation) {
        throw problem;
    }
}
