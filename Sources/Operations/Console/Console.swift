import HTTPServer

/// The operators' console: one page, no resources from elsewhere, nothing in it but the program that asks the JSON
/// routes. Texts are put into the page as text, never as markup.
enum Console {
    static let response = HTTPResponse(
        status: 200, contentType: "text/html; charset=utf-8",
        headers: [
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
                    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
        ],
        body: Array(page.utf8))

    static let page = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Switchyard</title>
        <style>\(style)</style>
        </head>
        <body>
        <header>
          <h1>Switchyard</h1><span id="ready" class="pill">…</span>
          <label>Token <input id="token" type="password" autocomplete="off" size="16"></label>
          <label>Operator <input id="operator" autocomplete="off" size="14"></label>
        </header>
        <p id="problem" role="alert" hidden></p>
        <main>
          <section>
            <h2>Payments</h2>
            <form id="filter">
              <label>State <select id="state"></select></label>
              <label>Partner <input id="partner" size="10"></label>
              <label>Older than <input id="olderThan" size="6" placeholder="15m"></label>
              <button>Show</button>
            </form>
            <table><thead><tr><th>Payment</th><th>State</th><th>Since</th><th>Partner</th></tr></thead>
              <tbody id="payments"></tbody></table>
            <button id="more" hidden>More</button>
          </section>
          <section>
            <h2>Routes <small id="policy"></small></h2>
            <table><thead><tr><th>Partner</th><th>Rail</th><th>Kind</th><th>Health</th><th>Under way</th><th>Cost</th>
              </tr></thead><tbody id="routes"></tbody></table>
          </section>
          <section id="detail" hidden>
            <h2 id="title"></h2>
            <div id="desk"></div>
            <h3>Attempts</h3>
            <table><thead><tr><th>Attempt</th><th>Operation</th><th>Route</th><th>Reference</th><th>Amount</th>
              <th>Status</th></tr></thead><tbody id="attempts"></tbody></table>
            <h3>History</h3>
            <table><thead><tr><th>#</th><th>Time</th><th>Event</th><th>State</th><th>Details</th></tr></thead>
              <tbody id="events"></tbody></table>
          </section>
        </main>
        <script>\(script)</script>
        </body>
        </html>

        """

    private static let style = """
        body{font:14px/1.45 system-ui,sans-serif;margin:0;color:#1c2430;background:#f6f7f9}
        header{display:flex;gap:1.2em;align-items:center;padding:.6em 1.2em;background:#1c2430;color:#fff}
        h1{font-size:1.1em;margin:0}h2{font-size:1.05em}h3{font-size:.95em;margin:1em 0 .3em}
        main{padding:0 1.2em 2em}section{background:#fff;border:1px solid #dde1e7;border-radius:6px;
        padding:.2em 1em 1em;margin-top:1em;overflow-x:auto}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25em .6em .25em 0;
        border-bottom:1px solid #eceff3;vertical-align:top}th{font-weight:600;color:#566}
        tbody tr.link{cursor:pointer}tbody tr.link:hover{background:#f0f5ff}
        .pill{padding:.1em .7em;border-radius:1em;background:#667}.ok{background:#18794e}.bad{background:#b42318}
        .mono{font-family:ui-monospace,monospace;font-size:.92em}form{display:flex;gap:1em;margin:.4em 0;flex-wrap:wrap}
        #problem{background:#fde8e6;color:#8a1c12;padding:.6em 1.2em;margin:0}td.details{max-width:48em;
        overflow-wrap:anywhere}button,input,select{font:inherit}#desk form{align-items:center}
        """
}
