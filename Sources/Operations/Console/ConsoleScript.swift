extension Console {
    /// The page's program. A raw string: what stands here is what the browser runs.
    static let script = #"""
        "use strict";
        const $ = id => document.getElementById(id);
        const states = ["", "held", "offloaded", "inDoubt", "submitted", "attempting", "routing", "screening", "received",
          "authorizing", "actionRequired", "authorized", "capturing", "disputed", "settled", "returned", "failed",
          "cancelled", "blocked", "captured", "voided", "expired", "partiallyRefunded", "refunded", "chargedBack"];
        for (const name of states) $("state").append(new Option(name || "all unfinished", name));
        $("token").value = sessionStorage.getItem("token") || "";
        $("operator").value = sessionStorage.getItem("operator") || "";
        for (const id of ["token", "operator"])
          $(id).addEventListener("change", () => { sessionStorage.setItem(id, $(id).value.trim()); refresh(); });
        let next = null, shown = null;

        async function call(path, options = {}) {
          const headers = Object.assign({}, options.headers);
          const token = $("token").value.trim();
          if (token) headers.Authorization = "Bearer " + token;
          const answer = await fetch(path, Object.assign({}, options, {headers}));
          const text = await answer.text();
          let body = {};
          try { body = text ? JSON.parse(text) : {}; } catch { body = {detail: text}; }
          return {status: answer.status, headers: answer.headers, body};
        }
        function problem(text) { $("problem").hidden = !text; $("problem").textContent = text || ""; }
        function row(cells, onClick) {
          const tr = document.createElement("tr");
          for (const [text, name] of cells) {
            const td = document.createElement("td");
            td.textContent = text == null ? "" : String(text);
            if (name) td.className = name;
            tr.append(td);
          }
          if (onClick) { tr.className = "link"; tr.addEventListener("click", onClick); }
          return tr;
        }
        const exponents = new Map();
        function exponent(currency) {
          if (!exponents.has(currency)) {
            let digits = 2;
            try {
              digits = new Intl.NumberFormat("en", {style: "currency", currency}).resolvedOptions().maximumFractionDigits;
            } catch {}
            exponents.set(currency, digits);
          }
          return exponents.get(currency);
        }
        function money(amount) {
          if (!amount) return "";
          const digits = exponent(amount.currency), units = String(Math.abs(amount.minorUnits)).padStart(digits + 1, "0");
          const whole = units.slice(0, units.length - digits), rest = digits ? "." + units.slice(-digits) : "";
          return amount.currency + " " + (amount.minorUnits < 0 ? "-" : "") + whole + rest;
        }
        async function list(after) {
          const query = new URLSearchParams();
          for (const id of ["state", "partner", "olderThan"]) if ($(id).value.trim()) query.set(id, $(id).value.trim());
          if (after) query.set("after", after);
          const {status, body} = await call("/v1/payments?" + query);
          if (status !== 200) return problem(body.detail || ("payments: " + status));
          problem();
          if (!after) $("payments").replaceChildren();
          for (const payment of body.payments)
            $("payments").append(row([[payment.paymentId, "mono"], [payment.state + (payment.parked ? " (parked)" : "")],
              [payment.since], [payment.partner]], () => show(payment.paymentId)));
          next = body.next;
          $("more").hidden = !next;
        }
        async function routes() {
          const {status, body} = await call("/v1/routes");
          if (status !== 200) return;
          $("policy").textContent = "policy " + body.policyVersion.slice(0, 12);
          $("routes").replaceChildren();
          for (const route of body.routes) {
            const capacity = route.capacity || {};
            const cost = (route.cost || []).map(c =>
              c.tiers.map(t => (t.upTo === null ? "" : "up to " + money({currency: c.currency, minorUnits: t.upTo}) + ": ") +
                money({currency: c.currency, minorUnits: t.fixed}) + " + " + t.perMillion / 100 + " bp").join("; ")).join(", ");
            $("routes").append(row([[route.partner], [route.rail + (route.onlyOnRequest ? " (on request)" : "")],
              [route.kind], [route.configured ? route.health : "not configured"],
              [(capacity.openAttempts ?? "–") + " / " + (capacity.maximum ?? "–")], [cost, "details"]]));
          }
        }
        async function show(id) {
          const {status, body} = await call("/v1/payments/" + encodeURIComponent(id));
          if (status !== 200) return problem(body.detail || ("payment: " + status));
          problem();
          shown = id;
          $("detail").hidden = false;
          $("title").textContent = id + " — " + body.state + (body.parked ? " (parked)" : "");
          $("attempts").replaceChildren();
          for (const attempt of body.attempts)
            $("attempts").append(row([[attempt.attemptId, "mono"], [attempt.operation],
              [attempt.partner + " / " + attempt.rail], [attempt.reference, "mono"], [money(attempt.amount)],
              [attempt.status + (attempt.escalated ? " (escalated)" : "")]]));
          $("events").replaceChildren();
          const hidden = new Set(["paymentId", "sequence", "state", "occurredAt"]);
          for (const event of body.events) {
            const data = event.data || {};
            const details = Object.entries(data).filter(([name]) => !hidden.has(name))
              .map(([name, value]) => name + "=" + (typeof value === "object" ? JSON.stringify(value) : value)).join("  ");
            $("events").append(row([[data.sequence], [event.time],
              [(event.type || "").replace("io.switchyard.", "").replace(".v1", "")], [data.state],
              [details, "details"]]));
          }
          desk(body);
          $("detail").scrollIntoView({behavior: "smooth", block: "nearest"});
        }
        function lastOf(payment, name, field) {
          for (const event of [...payment.events].reverse())
            if (event.type === "io.switchyard." + name + ".v1") return event.data[field];
          return null;
        }
        function desk(payment) {
          $("desk").replaceChildren();
          if (payment.state === "held") {
            const holdId = lastOf(payment, "screening.held", "holdId");
            decision(payment, "Release", "hold.release", {holdId});
            decision(payment, "Reject", "hold.reject", {holdId});
          }
          if (payment.state === "offloaded") {
            const offloadId = lastOf(payment, "offload.entered", "offloadId");
            decision(payment, "Resume", "offload.resume", {offloadId});
            decision(payment, "Reject", "offload.reject", {offloadId});
          }
        }
        function decision(payment, label, type, entry) {
          const form = document.createElement("form"), reason = document.createElement("input");
          const button = document.createElement("button");
          reason.placeholder = "reason";
          reason.setAttribute("aria-label", label + ": reason");
          reason.required = true;
          button.textContent = label;
          form.append(reason, button);
          form.addEventListener("submit", async event => {
            event.preventDefault();
            const operator = $("operator").value.trim();
            if (!operator) return problem("Enter your name as operator first.");
            button.disabled = true;
            const random = new Uint32Array(4);
            crypto.getRandomValues(random);
            const command = {type, id: "console-" + [...random].map(n => n.toString(16).padStart(8, "0")).join(""),
              subject: payment.paymentId, source: "urn:switchyard:console",
              data: Object.assign({operator, reason: reason.value}, entry)};
            const taken = await call("/v1/commands", {method: "POST", body: JSON.stringify(command),
              headers: {"Content-Type": "application/json"}});
            if (taken.status !== 202) { button.disabled = false; return problem(taken.body.detail || taken.status); }
            for (let tries = 0; tries < 50; tries++) {
              const outcome = await call(taken.headers.get("Location"));
              if (outcome.status === 200) {
                const data = outcome.body.data;
                await show(payment.paymentId);
                await list();
                return problem(data.code ? "Refused: " + data.code + " — " + data.message : "");
              }
              await new Promise(done => setTimeout(done, 200));
            }
            problem("Taken, not decided yet.");
          });
          $("desk").append(form);
        }
        async function ready() {
          const {status, body} = await call("/readyz");
          $("ready").textContent = status === 200 ? "ready" : (body.reasons || ["not ready"]).join("; ");
          $("ready").className = "pill " + (status === 200 ? "ok" : "bad");
        }
        async function refresh() {
          try { await Promise.all([ready(), list(), routes()]); }
          catch { problem("The daemon does not answer."); $("ready").className = "pill bad"; }
        }
        $("filter").addEventListener("submit", event => { event.preventDefault(); refresh(); });
        $("more").addEventListener("click", () => list(next));
        setInterval(() => { ready().then(routes).catch(() => problem("The daemon does not answer.")); }, 5000);
        refresh();
        """#
}
