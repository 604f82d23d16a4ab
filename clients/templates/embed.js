/* Showrate's form, on any page.
   <script src=".../embed.js" data-source="website" data-key="..."></script>            puts the form into #showrate,
                                                                              or in the script's place
   <script src=".../embed.js" data-form="#your-form" data-thanks="/thank-you"></script>   wires a form you have
   The form's fields are sent as they are named: name, phone, email, company, message, state or zip, consent. What else
   it holds is kept with the lead. */
(function () {
  "use strict";
  var config = {{ config|tojson }};
  var script = document.currentScript || document.querySelector('script[src*="/embed.js"]');
  var base = new URL(script.src).origin + new URL(script.src).pathname.replace(/\/embed\.js$/, "");
  var data = script.dataset;
  var source = data.source || config.default;
  var words = config.sources[source] || config.sources[config.default];

  function freshId() {
    if (window.crypto && crypto.randomUUID) return "f-" + crypto.randomUUID();
    var bytes = new Uint8Array(16), text = "f-";
    crypto.getRandomValues(bytes);
    for (var i = 0; i < bytes.length; i++) text += (bytes[i] + 256).toString(16).slice(1);
    return text;
  }

  /* Where the visitor came from: this page's address, else the first page of the visit that said so. */
  function campaign() {
    var found = {}, kept = {};
    new URLSearchParams(location.search).forEach(function (value, name) {
      if (/^utm_/.test(name) || /^(gclid|fbclid|msclkid)$/.test(name)) found[name] = value.slice(0, 300);
    });
    try {
      kept = JSON.parse(sessionStorage.getItem("showrate-campaign") || "{}");
      if (Object.keys(found).length) sessionStorage.setItem("showrate-campaign", JSON.stringify(found));
    } catch (nothingKept) { kept = {}; }
    return Object.keys(found).length ? found : kept;
  }

  function fieldsOf(form) {
    var fields = campaign();
    new FormData(form).forEach(function (value, name) {
      if (typeof value === "string" && value !== "") fields[name] = value;
    });
    if (!fields.source) fields.source = source;
    if (!fields.key && data.key) fields.key = data.key;
    if (!fields.page) fields.page = location.origin + location.pathname;
    if (!fields.promise) fields.promise = data.promise || config.promise;
    var box = form.elements.consent, shown = box && box.labels && box.labels[0];
    if (box && box.checked && !fields.consent_text && shown) fields.consent_text = shown.textContent.trim();
    if (!fields.zone && window.Intl) fields.zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
    return fields;
  }

  /* The same submission under the same id until an answer is in: a lost answer never makes a second lead. */
  function send(fields, tries) {
    function again() {
      return new Promise(function (wait) { setTimeout(wait, 1500); }).then(function () { return send(fields, tries - 1); });
    }
    return fetch(base + "/leads", {
      method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(fields)
    }).then(function (response) {
      if (response.status >= 500 && tries > 0) return again();
      return response.json().then(function (answer) { return { ok: response.status === 202, answer: answer }; });
    }, function (unreached) {
      if (tries > 0) return again();
      throw unreached;
    });
  }

  function wrong(form, field, text) {
    var place = form.querySelector('[data-wrong="' + field + '"]');
    var input = form.elements[field];
    if (input && input.setAttribute) input.setAttribute("aria-invalid", text ? "true" : "false");
    if (!place) return false;
    place.textContent = text;
    place.hidden = !text;
    return true;
  }

  /* A form that has no place for a field's error gets one line above its button. */
  function lastResort(form, text) {
    var line = form.querySelector("[data-showrate-wrong]");
    if (!line) {
      line = document.createElement("p");
      line.setAttribute("data-showrate-wrong", "");
      line.setAttribute("role", "alert");
      form.insertBefore(line, form.querySelector("button, [type=submit]"));
    }
    line.textContent = text;
    line.hidden = !text;
  }

  function wire(form, thanked) {
    var id = "";
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var button = form.querySelector("button:not([type=button]), [type=submit]");
      Array.prototype.forEach.call(form.elements, function (input) { if (input.name) wrong(form, input.name, ""); });
      wrong(form, "request", ""); lastResort(form, "");
      var box = form.elements.consent;
      if (box && box.required && !box.checked) {
        if (!wrong(form, "consent", "Please tick the box, so that we may call you.")) lastResort(form, "Please tick the box, so that we may call you.");
        box.focus();
        return;
      }
      var fields = fieldsOf(form);
      id = id || fields.submission_id || freshId();
      fields.submission_id = id;
      if (button) button.disabled = true;
      form.setAttribute("aria-busy", "true");
      send(fields, 3).then(function (result) {
        if (result.ok) {
          id = "";
          form.dispatchEvent(new CustomEvent("showrate:accepted", { bubbles: true, composed: true, detail: result.answer }));
          thanked();
          return;
        }
        var first = null, loose = [];
        (result.answer.problems || []).forEach(function (p) {
          var text = p.problem.charAt(0).toUpperCase() + p.problem.slice(1) + "; " + p.remedy + ".";
          if (!wrong(form, p.field, text)) loose.push(text);
          else if (!first) first = form.elements[p.field];
        });
        if (loose.length && !wrong(form, "request", loose.join(" "))) lastResort(form, loose.join(" "));
        if (first && first.focus) first.focus();
      }).catch(function () {
        var text = "We could not be reached. Please press the button again.";
        if (!wrong(form, "request", text)) lastResort(form, text);
      }).then(function () {
        if (button) button.disabled = false;
        form.removeAttribute("aria-busy");
      });
    });
  }

  var STYLE = ":host{all:initial;display:block;color-scheme:light dark}*{box-sizing:border-box}" +
    "form,.done{font:16px/1.5 ui-sans-serif,system-ui,sans-serif;color:#12151c;background:#fff;border:1px solid #e2e5eb;border-radius:14px;padding:1.5rem;display:grid;gap:1rem;max-width:34rem}" +
    "h2{margin:0;font-size:1.25rem;letter-spacing:-.01em}p{margin:0}.soft{color:#596072;font-size:.9rem}" +
    "label{display:grid;gap:.3rem;font-weight:600;font-size:.9rem}input,textarea{font:inherit;font-size:16px;font-weight:400;color:inherit;background:#fff;border:1px solid #868d9e;border-radius:10px;padding:.6rem .75rem;width:100%;min-height:2.75rem}" +
    "[aria-invalid=true]{border-color:#b3123b}.wrong{color:#b3123b;font-size:.85rem}.two{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr))}" +
    ".check{grid-template-columns:auto 1fr;font-weight:400;font-size:.82rem;color:#596072;gap:.6rem}.check input{width:1.2rem;height:1.2rem;min-height:0;margin:.1rem 0}" +
    "button{font:inherit;font-weight:600;border:0;border-radius:10px;padding:.7rem 1rem;background:#3d47d6;color:#fff;cursor:pointer}button:disabled{opacity:.6}:focus-visible{outline:3px solid #3d47d6;outline-offset:2px}[hidden]{display:none!important}" +
    "@media(prefers-color-scheme:dark){form,.done{color:#e9ecf3;background:#161a22;border-color:#282e3a}input,textarea{background:#161a22;border-color:#6a7488}.soft,.check{color:#9aa3b5}.wrong{color:#ff8ba7}button{background:#98a2ff;color:#10131a}}";

  var FIELDS = [["name", "Name", "text", "name"], ["phone", "Phone", "tel", "tel"], ["email", "Work e-mail", "email", "email"], ["company", "Company", "text", "organization"]];

  function el(tag, attributes, children) {
    var node = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) { node.setAttribute(name, attributes[name]); });
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  function draw(place) {
    var root = place.attachShadow({ mode: "open" });
    var form = el("form", { novalidate: "", "aria-label": data.title || "Talk to us" }, [
      el("h2", {}, [data.title || "Talk to us"]),
      el("p", { class: "soft" }, ["Leave your number. " + (data.promise || config.promise)]),
      el("p", { class: "wrong", role: "alert", "data-wrong": "request", hidden: "" }),
      el("div", { class: "two" }, FIELDS.map(function (f) {
        return el("label", {}, [f[1], el("input", { name: f[0], type: f[2], autocomplete: f[3], maxlength: "200" }), el("span", { class: "wrong", "data-wrong": f[0], hidden: "" })]);
      })),
      el("label", {}, ["What can we help with?", el("textarea", { name: "message", rows: "3", maxlength: "5000" })]),
      el("label", { class: "check" }, [el("input", { type: "checkbox", name: "consent", value: "yes", required: "" }), el("span", {}, [words.text])]),
      el("p", { class: "wrong", "data-wrong": "consent", hidden: "" }),
      el("input", { type: "hidden", name: "consent_text", value: words.text }),
      el("input", { type: "hidden", name: "consent_version", value: words.version }),
      el("button", {}, [data.button || "Call me"])
    ]);
    root.append(el("style", {}, [STYLE]), form);
    wire(form, function () {
      if (data.thanks) { location.assign(data.thanks); return; }
      var done = el("div", { class: "done", role: "status", tabindex: "-1" }, [
        el("h2", {}, ["Thank you. Keep your phone at hand."]), el("p", {}, [data.promise || config.promise])
      ]);
      form.replaceWith(done);
      done.focus();
    });
  }

  function begin() {
    if (data.form) {
      document.querySelectorAll(data.form).forEach(function (form) {
        wire(form, function () {
          if (data.thanks) { location.assign(data.thanks); return; }
          var done = el("p", { role: "status", tabindex: "-1" }, ["Thank you. " + (data.promise || config.promise)]);
          form.replaceWith(done);
          done.focus();
        });
      });
      return;
    }
    var place = document.querySelector(data.target || "#showrate");
    if (!place) { place = document.createElement("div"); script.after(place); }
    draw(place);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
